//! How much of an answer is left, and how it is shared out between series.

use serde_json::Value;

use crate::archive::remote_access::RemoteLimits;

/// What a row takes on the wire beside name and value.
const ROW_OVERHEAD_BYTES: usize = 64;

/// What an answer takes beside its rows and its cursor.
const FRAME_BYTES: usize = 512;

/// A cursor needs so much for the place of one series; more places for more series at once.
const LEAST_CURSOR_BYTES: usize = 512;
const MOST_CURSOR_BYTES: usize = 16 * 1024;

/// The room of one answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    /// The largest row that an empty answer holds.
    pub(crate) largest_row: usize,
    /// For the cursor.
    pub(crate) cursor_bytes: usize,
}

impl Room {
    pub(crate) fn of(limits: RemoteLimits) -> Self {
        let cursor_bytes = (limits.bytes / 8).max((limits.bytes / 3).min(LEAST_CURSOR_BYTES));
        let cursor_bytes = cursor_bytes.min(MOST_CURSOR_BYTES);
        let frame_bytes = (limits.bytes / 8).min(FRAME_BYTES);
        let bytes = limits.bytes.saturating_sub(cursor_bytes + frame_bytes);
        Self {
            rows: limits.rows.max(1),
            bytes,
            largest_row: bytes,
            cursor_bytes,
        }
    }

    /// An equal part for each of so many series, the rest of those before included.
    pub(crate) fn shared_by(&self, series: usize) -> (usize, usize) {
        let series = series.max(1);
        (self.rows.div_ceil(series), self.bytes / series)
    }

    pub(crate) fn take(&mut self, row_bytes: usize) {
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(row_bytes);
    }
}

/// How much of an answer a row takes.
pub(crate) fn row_bytes(record_name: &str, value: &Value) -> usize {
    let name = serde_json::to_string(record_name).map_or(usize::MAX, |text| text.len());
    let value = serde_json::to_string(value).map_or(usize::MAX, |text| text.len());
    name.saturating_add(value)
        .saturating_add(ROW_OVERHEAD_BYTES)
}
