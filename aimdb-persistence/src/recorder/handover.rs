//! Hands batches to the backend, one at a time, and settles what becomes of their rows.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::future::{FutureExt, or};
use futures_timer::Delay;

use super::backlog::{Batch, Supply};
use super::{Recorder, Sleep};
use crate::backend::BatchOutcome;
use crate::error::{PersistenceError, Retry};
use crate::event::PersistenceEvent;
use crate::stats::Outcome;

/// What the first value after a pause waits for others to share its commit.
const GATHER: Duration = Duration::from_millis(5);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often an error that nobody knows to pass is tried again: for some six seconds in all.
const TRIES: u32 = 8;

/// How long a backend that fails or hangs may hold up the end of a database.
const GRACE: Duration = Duration::from_secs(5);

/// Runs until the database is dropped or recording is closed, and everything produced before is settled.
pub(crate) async fn hand_over(recorder: Arc<Recorder>, sleep: Sleep) {
    let _running = recorder.handover.begin();
    let handover = Handover {
        recorder: &recorder,
        sleep: &sleep,
    };
    let prepared = handover.prepare().await;
    let mut last_batch = None;
    while let Some(batch) = handover.next_batch(last_batch).await {
        last_batch = Some(Instant::now());
        match &prepared {
            Ok(()) => handover.store(batch).await,
            Err(error) => handover.fail(&batch, 0, batch.rows.len(), &error.to_string()),
        }
    }
    // Nobody is left to be told: whoever wants to know flushes.
    let _ = handover
        .before_the_grace_ends(recorder.backend().flush())
        .await;
}

struct Handover<'a> {
    recorder: &'a Recorder,
    sleep: &'a Sleep,
}

impl Handover<'_> {
    /// Retries until the backend is ready; the backlog waits meanwhile, and a query reports the error itself.
    ///
    /// # Errors
    /// The backend's last one, if the database ends before.
    async fn prepare(&self) -> Result<(), PersistenceError> {
        let (mut pause, mut failing) = (FIRST_PAUSE, false);
        while let Err(error) = self.recorder.prepare().await {
            self.report_failing(&mut failing, &error);
            or((self.sleep)(pause), self.recorder.ending()).await;
            if self.recorder.is_ending() {
                return Err(error);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.report_recovered(failing);
        Ok(())
    }

    /// The next batch once it is due, or `None` when nothing more can come.
    async fn next_batch(&self, last_batch: Option<Instant>) -> Option<Batch> {
        let mut due = false;
        loop {
            let news = self.recorder.backlog().news();
            match self
                .recorder
                .backlog()
                .supply(due || self.recorder.is_ending())
            {
                Supply::Ready(batch) => return Some(batch),
                Supply::Waiting => {
                    let lingered = async {
                        (self.sleep)(self.linger(last_batch)).await;
                        true
                    };
                    let told = async {
                        news.await;
                        false
                    };
                    due = or(lingered, told).await;
                }
                Supply::Empty => {
                    if self.recorder.is_ending()
                        && self.recorder.registry().all_subscriptions_ended()
                    {
                        return None;
                    }
                    news.await;
                }
            }
        }
    }

    fn linger(&self, last_batch: Option<Instant>) -> Duration {
        let linger = self.recorder.options().linger;
        let rest = last_batch.map_or(Duration::ZERO, |last| linger.saturating_sub(last.elapsed()));
        rest.max(GATHER.min(linger))
    }

    /// Settles every row of the batch.
    async fn store(&self, batch: Batch) {
        let mut batch = batch;
        let (mut tries, mut pause, mut failing) = (0, FIRST_PAUSE, false);
        loop {
            let rows = Arc::new(std::mem::take(&mut batch.rows));
            let outcome = self.attempt(Arc::clone(&rows)).await;
            // The backend has let go of the rows unless it kept them against the contract.
            batch.rows = Arc::try_unwrap(rows).unwrap_or_else(|shared| (*shared).clone());
            let settled = outcome.settled.min(batch.rows.len());
            self.settle(&batch, settled, &outcome.refused);
            let Some(error) = outcome.stopped_by else {
                self.fail(
                    &batch,
                    settled,
                    batch.rows.len(),
                    "the backend did not settle it",
                );
                break;
            };
            if settled > 0 {
                (tries, pause) = (0, FIRST_PAUSE);
                batch = batch.part(settled, batch.rows.len());
            }
            if batch.rows.is_empty() {
                break;
            }
            tries += 1;
            match error.retry() {
                Retry::Never => break self.fail(&batch, 0, batch.rows.len(), &error.to_string()),
                Retry::AFewTimes if tries >= TRIES => break self.store_one_by_one(&batch).await,
                _ => {}
            }
            self.report_failing(&mut failing, &error);
            if self
                .before_the_grace_ends((self.sleep)(pause))
                .await
                .is_none()
            {
                break self.fail(&batch, 0, batch.rows.len(), &error.to_string());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.report_recovered(failing);
    }

    /// The batch as a whole keeps failing: one row of it may be the reason, and must not take the others along.
    async fn store_one_by_one(&self, batch: &Batch) {
        for index in 0..batch.rows.len() {
            let single = batch.part(index, index + 1);
            let outcome = self.attempt(Arc::new(single.rows.clone())).await;
            match outcome.stopped_by {
                None => self.settle(&single, outcome.settled.min(1), &outcome.refused),
                Some(error) => self.fail(&single, 0, 1, &error.to_string()),
            }
        }
    }

    /// One call of the backend. A panic in it is an error like another, and one that hangs is given up when the
    /// database ends.
    async fn attempt(&self, rows: Arc<crate::rows::Rows>) -> BatchOutcome {
        let call = AssertUnwindSafe(async { self.recorder.backend().store_batch(rows).await })
            .catch_unwind();
        match self.before_the_grace_ends(call).await {
            Some(Ok(mut outcome)) => {
                outcome.refused.sort_by_key(|(index, _)| *index);
                outcome
            }
            Some(Err(_)) => {
                BatchOutcome::stopped(PersistenceError::Backend("the backend panicked".to_owned()))
            }
            None => BatchOutcome::stopped(PersistenceError::BackendShutdown),
        }
    }

    fn settle(&self, batch: &Batch, settled: usize, refused: &[(usize, PersistenceError)]) {
        let mut refused = refused.iter().peekable();
        for index in 0..settled {
            match refused.next_if(|(refused, _)| *refused == index) {
                Some((_, error)) => {
                    self.recorder
                        .lose(batch.record(index), Outcome::Failed, 1, &error.to_string());
                }
                None => {
                    batch.record(index).counters.settle(Outcome::Stored, 1);
                }
            }
        }
        self.leave_backlog(batch, 0, settled);
    }

    fn fail(&self, batch: &Batch, start: usize, end: usize, reason: &str) {
        for index in start..end {
            self.recorder
                .lose(batch.record(index), Outcome::Failed, 1, reason);
        }
        self.leave_backlog(batch, start, end);
    }

    fn leave_backlog(&self, batch: &Batch, start: usize, end: usize) {
        let rows = (start..end).filter_map(|index| batch.rows.get(index));
        let bytes = rows.map(|row| row.json.len()).sum();
        self.recorder.backlog().settle(end - start, bytes);
    }

    /// `None` if the database has been ending for longer than it may take.
    async fn before_the_grace_ends<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let give_up = async {
            let since = self.recorder.end().await;
            Delay::new(GRACE.saturating_sub(since.elapsed())).await;
            None
        };
        or(async { Some(work.await) }, give_up).await
    }

    fn report_failing(&self, failing: &mut bool, error: &PersistenceError) {
        if !std::mem::replace(failing, true) {
            self.recorder.report(&PersistenceEvent::BackendFailing {
                error: error.to_string(),
            });
        }
    }

    fn report_recovered(&self, failing: bool) {
        if failing {
            self.recorder.report(&PersistenceEvent::BackendRecovered);
        }
    }
}
