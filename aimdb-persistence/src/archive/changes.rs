//! Rows that are stored or removed past the recorder. Afterwards a policy reads again what it compares the next value
//! with.

use std::future::Future;
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aimdb_persistence_backend::{Pattern, ReadRequest};
use futures_lite::FutureExt;

use crate::archive::Archive;
use crate::archive::record::RecordState;

impl Archive {
    /// Runs what takes rows of these times from a series, or brings it some. However it ends, also where it is dropped
    /// half-way, the series' policy forgets the rows that may be gone. It goes on with the row stored last of those that are there.
    pub(crate) async fn change_rows<T>(
        &self,
        series: &str,
        times_ms: RangeInclusive<u64>,
        change: impl Future<Output = T>,
    ) -> T {
        let forget = ForgetOnDrop {
            record: self.registry().known(series),
            times_ms,
        };
        let changed = change.await;
        drop(forget);
        self.find_last(series).await;
        changed
    }

    /// If the backend cannot say what is stored, the next value is stored, as the first of a series is.
    async fn find_last(&self, series: &str) {
        let record = self.registry().known(series);
        let Some(rules) = record.as_ref().and_then(|record| record.gated()) else {
            return;
        };
        if !rules.are_to_learn() {
            return;
        }
        let read = async { self.backend().last_stored(series).await };
        if let Ok(Ok(last)) = AssertUnwindSafe(read).catch_unwind().await {
            rules.learn(last.get(0));
        }
    }
}

/// The newest row that does not lie far ahead of the clock.
pub(crate) fn newest_row_of(series: &str, latest_ms: u64) -> ReadRequest {
    let newest = ReadRequest::new(Pattern::exact(series)).with_limit(1);
    newest.with_times(None, latest_ms)
}

struct ForgetOnDrop {
    record: Option<Arc<RecordState>>,
    times_ms: RangeInclusive<u64>,
}

impl Drop for ForgetOnDrop {
    fn drop(&mut self) {
        if let Some(rules) = self.record.as_ref().and_then(|record| record.gated()) {
            rules.forget(&self.times_ms);
        }
    }
}
