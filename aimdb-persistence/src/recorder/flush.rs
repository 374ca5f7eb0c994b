//! Flushing and closing: every value that was produced before is stored or counted, within a deadline.

use std::future::Future;
use std::time::Duration;

use aimdb_persistence_backend::PersistenceError;
use futures_lite::future::or;
use futures_timer::Delay;
use serde::Serialize;

use crate::archive::stats::PersistenceStats;
use crate::recorder::recording::Recorder;
use crate::time::duration_ms;

/// What [`close_persistence`](crate::AimDbQueryExt::close_persistence) achieved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CloseReport {
    /// Everything produced before the call was stored, or counted as lost, within the deadline.
    pub complete: bool,
    /// Why it was not.
    pub error: Option<String>,
    /// The counters when recording was stopped.
    pub stats: PersistenceStats,
}

impl Recorder {
    /// Flushes for at most `deadline`, then stops recording.
    pub(crate) async fn close(&self, deadline: Duration) -> CloseReport {
        self.shut();
        let flushed = self.flush(deadline).await;
        self.stop();
        CloseReport {
            complete: flushed.is_ok(),
            error: flushed.err().map(|error| error.to_string()),
            stats: self.archive().stats(),
        }
    }

    /// Waits until every value produced before the call is stored or counted, then for the backend's own flush.
    pub(crate) async fn flush(&self, deadline: Duration) -> Result<(), PersistenceError> {
        let drain_then_settle = async {
            let subscriptions = self.intakes().subscriptions();
            let asked: Vec<_> = subscriptions
                .iter()
                .map(|subscription| subscription.ask_to_drain())
                .collect();
            for (subscription, drain) in subscriptions.iter().zip(asked) {
                subscription.wait_for_drain(drain).await;
            }
            self.end_intervals();
            self.backlog().wait_until_settled().await;
            Ok(())
        };
        let abandoned = async {
            self.handover().wait_for_its_absence().await;
            let pending = self.archive().registry().stats().total.pending;
            Err(PersistenceError::NotRunning { pending })
        };
        let flushed = async {
            or(drain_then_settle, abandoned).await?;
            let flushed = self.backend().flush().await;
            self.archive().report_health();
            flushed
        };
        self.within(deadline, "the history was not flushed", flushed)
            .await
    }

    /// Bounds `work` on real time, so that a paused clock of the runtime does not end it early.
    async fn within<T>(
        &self,
        deadline: Duration,
        waiting_for: &'static str,
        work: impl Future<Output = Result<T, PersistenceError>>,
    ) -> Result<T, PersistenceError> {
        let expire = async {
            Delay::new(deadline).await;
            let pending = self.archive().registry().stats().total.pending;
            Err(PersistenceError::Timeout {
                waiting_for,
                deadline_ms: duration_ms(deadline),
                pending,
            })
        };
        or(work, expire).await
    }
}
