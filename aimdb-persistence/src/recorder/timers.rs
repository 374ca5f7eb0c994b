//! Timers for intervals that keep their last value. The value is stored when its interval is over, even if no further
//! value comes. Timers run on the clock of the database's runtime.

use std::future::pending;
use std::sync::Arc;

use aimdb_persistence_backend::BoxFuture;
use futures_lite::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::archive::record::RecordState;
use crate::recorder::recording::Recorder;

/// The timers under way.
pub(crate) struct Timers<'a> {
    recorder: &'a Recorder,
    under_way: FuturesUnordered<BoxFuture<'static, (Arc<RecordState>, u64)>>,
}

impl<'a> Timers<'a> {
    pub(crate) fn new(recorder: &'a Recorder) -> Self {
        Self {
            recorder,
            under_way: FuturesUnordered::new(),
        }
    }

    /// Starts those that are needed by now.
    pub(crate) fn start(&mut self) {
        for record in self.recorder.intervals().take() {
            self.start_of(record);
        }
    }

    fn start_of(&mut self, record: Arc<RecordState>) {
        if let Some((interval, left)) = self.recorder.time_left(&record) {
            let sleep = self.recorder.clock().sleep(left);
            self.under_way.push(Box::pin(async move {
                sleep.await;
                (record, interval)
            }));
        }
    }

    /// Resolves when an interval was over and its value has been stored. Another interval may have begun since the
    /// timer was started. It gets the rest of its own time.
    pub(crate) async fn run_out(&mut self) {
        match self.under_way.next().await {
            Some((record, interval)) => {
                self.recorder.end_interval(&record, Some(interval));
                self.start_of(record);
            }
            None => pending().await,
        }
    }
}
