//! What a backend holds of a series, as its policy learns it: before the first value, and after rows have come or gone past
//! the recorder.

use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::{Page, Pattern, ReadRequest};
use futures_lite::future::or;
use futures_timer::Delay;

use crate::archive::record::RecordState;
use crate::recorder::Recorder;

/// How long the first value of a series waits for a backend that cannot say what it holds of it. Then the value is
/// stored, as the first of a series is.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

impl Recorder {
    /// Reads what the backend holds of the record from before, unless that was done. Before its first value is judged.
    pub(crate) async fn learn_last(&self, record: &RecordState) {
        let Some(rules) = record.gated() else { return };
        let learn = async || {
            let give_up = async {
                Delay::new(PATIENCE).await;
                None
            };
            let page = or(async { Some(self.last_page(record).await) }, give_up).await;
            let last = page.as_ref().and_then(|page| page.rows.get(0));
            rules.go_on_after(last);
        };
        rules.learnt.get_or_init(learn).await;
    }

    /// Runs what takes rows of these times from a series, or brings it some. However that ends, and be it half-way, its policy
    /// compares nothing with rows that may be gone, but with the newest that is there then.
    pub(crate) async fn change_rows<T>(
        &self,
        series: &str,
        times_ms: RangeInclusive<u64>,
        change: impl Future<Output = T>,
    ) -> T {
        let forget = ForgetOnDrop {
            record: self.registry.known(series),
            times_ms,
        };
        let changed = change.await;
        drop(forget);
        self.find_last(series).await;
        changed
    }

    /// Where the backend does not say what there is, the next value is stored, as the first of a series is.
    async fn find_last(&self, series: &str) {
        let record = self.registry.known(series);
        let Some(rules) = record.as_ref().and_then(|record| record.gated()) else {
            return;
        };
        let request = newest_row_of(series);
        let page = self.call(async || self.backend().read(request).await).await;
        let last = page.as_ref().ok().and_then(|page| page.rows.get(0));
        if let Some(last) = last {
            rules.find(last);
        }
    }

    /// A page of the newest row, as soon as the backend answers.
    async fn last_page(&self, record: &RecordState) -> Page {
        let request = newest_row_of(&record.name);
        let read = async || {
            self.prepare().await?;
            self.backend().read(request.clone()).await
        };
        loop {
            match self.call(read).await {
                Ok(page) => return page,
                Err(_) => Delay::new(PAUSE).await,
            }
        }
    }
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

fn newest_row_of(series: &str) -> ReadRequest {
    ReadRequest::new(Pattern::exact(series)).with_limit(1)
}
