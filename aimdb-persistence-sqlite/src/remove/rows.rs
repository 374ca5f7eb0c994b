//! Finding rows of a series by how many lie before or behind them, and removing rows with their long values.

use rusqlite::{Connection, OptionalExtension};

use crate::layout::last_stored;
use crate::layout::place::Place;
use crate::layout::sql;

/// One transaction removes so many rows: a store may have to wait for it.
pub(crate) const STEP_ROWS: usize = 500;
/// One step looks up so many series.
pub(crate) const STEP_SERIES: u64 = 1_000;

/// The oldest row of the series up to `end`, or the one so many rows behind it.
pub(crate) fn nth_oldest(
    connection: &Connection,
    series: i64,
    end: Place,
    n: usize,
) -> rusqlite::Result<Option<Place>> {
    let mut row = connection.prepare_cached(sql::NTH_OLDEST)?;
    row.query_row((series, end.stored_at, end.sequence, n as i64), Place::of)
        .optional()
}

/// Removes the rows of the series up to `end`; says how many there were.
pub(crate) fn remove_up_to(
    connection: &Connection,
    series: i64,
    end: Place,
) -> rusqlite::Result<usize> {
    let range = (series, end.stored_at, end.sequence);
    let mut remove_large = connection.prepare_cached(sql::REMOVE_LARGE_UP_TO)?;
    remove_large.execute(range)?;
    let removed = connection
        .prepare_cached(sql::REMOVE_UP_TO)?
        .execute(range)?;
    last_stored::note_removed(connection, series, removed)
}

/// Removes the rows of the series from the time `start` up to `end`; says how many there were.
pub(crate) fn remove_within(
    connection: &Connection,
    series: i64,
    start: i64,
    end: Place,
) -> rusqlite::Result<usize> {
    let range = (series, start, end.stored_at, end.sequence);
    let mut remove_large = connection.prepare_cached(sql::REMOVE_LARGE_WITHIN)?;
    remove_large.execute(range)?;
    let removed = connection
        .prepare_cached(sql::REMOVE_WITHIN)?
        .execute(range)?;
    last_stored::note_removed(connection, series, removed)
}

/// A descent passes so many rows at once. Passing so many takes as long as looking up one series.
const STRIDE_ROWS: u64 = 5_000;
const ROWS_FOR_A_SERIES: u64 = 50;

/// The way from a series' newest row up to a time down to the one so many rows below it, in strides.
pub(crate) struct Descent {
    at: Place,
    left: u64,
}

impl Descent {
    pub(crate) fn from(latest_ms: i64, rows: u64) -> Self {
        Self {
            at: Place::last_at(latest_ms),
            left: rows,
        }
    }

    /// Takes one stride, and takes its cost from `budget`. The outer result is `None` while rows are left to pass. The inner
    /// one is the row that was searched, or `None` if the series has fewer rows.
    pub(crate) fn stride(
        &mut self,
        connection: &Connection,
        series: i64,
        budget: &mut u64,
    ) -> rusqlite::Result<Option<Option<Place>>> {
        let rows = self.left.min(STRIDE_ROWS);
        *budget = budget.saturating_sub(rows / ROWS_FOR_A_SERIES);
        let mut row_below = connection.prepare_cached(sql::ROW_BELOW)?;
        let from = (
            series,
            self.at.stored_at,
            self.at.sequence,
            rows.cast_signed(),
        );
        let Some(place) = row_below.query_row(from, Place::of).optional()? else {
            return Ok(Some(None));
        };
        self.left -= rows;
        self.at = place;
        Ok((self.left == 0).then_some(Some(place)))
    }
}
