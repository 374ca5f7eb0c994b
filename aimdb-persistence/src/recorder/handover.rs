//! Hands batches to the backend, one at a time, and settles what becomes of their rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aimdb_persistence_backend::{BatchOutcome, PersistenceError, Retry};
use futures_lite::future::or;

use crate::archive::event::PersistenceEvent;
use crate::archive::stats::Outcome;
use crate::recorder::backlog::{Batch, Supply};
use crate::recorder::recording::Recorder;
use crate::recorder::timers::Timers;

/// What the first value after a pause waits for others to share its commit.
const GATHER: Duration = Duration::from_millis(5);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often an error of unknown cause may come before a single row is suspected. This takes some six seconds.
const TRIES: u32 = 8;

/// The same when the runtime is gone. A backend that needs the runtime will not answer any more.
const LAST_TRIES: u32 = 3;

/// How many rows of a failing batch are tried alone to see whether any can be stored.
const SAMPLES: usize = 16;

/// Runs until the database is dropped or recording is closed, and everything produced before is settled.
pub(crate) async fn hand_over(recorder: Arc<Recorder>) {
    let _running = recorder.handover().begin();
    let handover = Handover {
        recorder: &recorder,
        failing: AtomicBool::new(false),
    };
    let prepared = handover.prepare().await;
    let mut last_batch = None;
    let mut timers = Timers::new(&recorder);
    while let Some(batch) = handover.next_batch(last_batch, &mut timers).await {
        last_batch = Some(Instant::now());
        match &prepared {
            Ok(()) => handover.store(batch).await,
            Err(error) => handover.fail(&batch, 0, batch.rows.len(), &error.to_string()),
        }
    }
    if prepared.is_ok() {
        // Nobody is left to report to. A caller that wants to know flushes.
        let flush = async || recorder.backend().flush().await;
        let _ = recorder.call(flush).await;
    }
}

struct Handover<'a> {
    recorder: &'a Recorder,
    /// The backend's last answer was an error, which was reported.
    failing: AtomicBool,
}

impl Handover<'_> {
    /// Retries until the backend is ready. The backlog waits, and a query reports the error itself.
    ///
    /// # Errors
    /// The backend's last one, if the database ends before.
    async fn prepare(&self) -> Result<(), PersistenceError> {
        let mut pause = FIRST_PAUSE;
        let prepare = async || self.recorder.archive().prepare_all().await;
        while let Err(error) = self.recorder.call(prepare).await {
            self.report_failing(&error);
            let ended = async {
                self.recorder.end().await;
            };
            or(self.recorder.clock().sleep(pause), ended).await;
            if self.recorder.is_over() {
                return Err(error);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.report_recovered();
        self.recorder.archive().report_health();
        Ok(())
    }

    /// The next batch once it is due, or `None` when nothing more can come.
    async fn next_batch(
        &self,
        last_batch: Option<Instant>,
        timers: &mut Timers<'_>,
    ) -> Option<Batch> {
        let mut due = false;
        loop {
            let changed = self.recorder.backlog().changed();
            let over = self.recorder.is_over();
            // Asked before the backlog is: a subscriber that ends has put its last row there.
            let complete = over && self.recorder.intakes().all_subscriptions_ended();
            if over {
                self.recorder.end_intervals();
            }
            timers.start();
            match self.recorder.backlog().supply(due || over) {
                Supply::Ready(batch) => return Some(batch),
                Supply::Waiting => {
                    let lingered = async {
                        let linger = self.linger(last_batch);
                        self.recorder.clock().sleep(linger).await;
                        true
                    };
                    let told = async {
                        or(changed, timers.run_out()).await;
                        false
                    };
                    due = or(lingered, told).await;
                }
                Supply::Empty if complete => return None,
                Supply::Empty => or(changed, timers.run_out()).await,
            }
        }
    }

    fn linger(&self, last_batch: Option<Instant>) -> Duration {
        let linger = self.recorder.options().linger;
        let rest = last_batch.map_or(Duration::ZERO, |last| linger.saturating_sub(last.elapsed()));
        rest.max(GATHER.min(linger))
    }

    /// Settles every row of the batch.
    async fn store(&self, mut batch: Batch) {
        while let Err((rest, error)) = self.try_to_store(batch, TRIES).await {
            if self.recorder.is_over() {
                return self.fail(&rest, 0, rest.rows.len(), &error.to_string());
            }
            match self.isolate(rest).await {
                Some(rest) => batch = self.with_newcomers(rest),
                None => return,
            }
        }
    }

    /// The whole batch keeps failing. Either one of its rows is the reason, or the backend is. If at least one row
    /// can be stored, the failing ones count as failed. If none can, the backend is at fault, and the batch is given
    /// back.
    async fn isolate(&self, batch: Batch) -> Option<Batch> {
        batch.lose_order();
        let rows = batch.rows.len();
        let samples = (0..rows).step_by(rows.div_ceil(SAMPLES)).chain([rows - 1]);
        let mut stored = None;
        for index in samples {
            if self
                .try_to_store(batch.part(index, index + 1), 1)
                .await
                .is_ok()
            {
                stored = Some(index);
                break;
            }
        }
        let Some(stored) = stored else {
            return Some(batch);
        };
        for index in (0..rows).filter(|index| *index != stored) {
            if let Err((row, error)) = self.try_to_store(batch.part(index, index + 1), 1).await {
                self.fail(&row, 0, row.rows.len(), &error.to_string());
            }
        }
        None
    }

    /// New rows may tell a row that cannot be stored from a backend that cannot store.
    fn with_newcomers(&self, mut batch: Batch) -> Batch {
        if let Supply::Ready(newcomers) = self.recorder.backlog().supply(true) {
            batch.append(&newcomers);
        }
        batch
    }

    /// Settles every row of the batch. Gives the rest of it back if an error that may be a row's own has come so many
    /// times in succession.
    async fn try_to_store(
        &self,
        mut batch: Batch,
        max_tries: u32,
    ) -> Result<(), (Batch, PersistenceError)> {
        let (mut tries, mut pause) = (0, FIRST_PAUSE);
        loop {
            let outcome = self.recorder.attempt(Arc::clone(&batch.rows)).await;
            let settled = outcome.settled.min(batch.rows.len());
            self.recorder.archive().report_health();
            self.settle(&batch, settled, &outcome);
            self.recorder.learn_again(&batch).await;
            let Some(error) = outcome.stopped_by else {
                self.report_recovered();
                self.fail(
                    &batch,
                    settled,
                    batch.rows.len(),
                    "the backend did not settle it",
                );
                return Ok(());
            };
            if settled > 0 {
                (tries, pause) = (0, FIRST_PAUSE);
                batch = batch.part(settled, batch.rows.len());
            }
            if batch.rows.is_empty() {
                return Ok(());
            }
            tries += 1;
            match error.retry() {
                Retry::Never => break self.fail(&batch, 0, batch.rows.len(), &error.to_string()),
                Retry::AFewTimes if tries >= self.at_most(max_tries) => return Err((batch, error)),
                _ => {}
            }
            self.report_failing(&error);
            let pausing = self
                .recorder
                .before_the_grace_ends(self.recorder.clock().sleep(pause));
            if pausing.await.is_none() {
                break self.fail(&batch, 0, batch.rows.len(), &error.to_string());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    fn at_most(&self, tries: u32) -> u32 {
        match self.recorder.has_left_runtime() {
            true => tries.min(LAST_TRIES),
            false => tries,
        }
    }

    fn settle(&self, batch: &Batch, settled: usize, outcome: &BatchOutcome) {
        self.recorder.settle(batch, settled, outcome);
        self.leave_backlog(batch, 0, settled);
    }

    fn fail(&self, batch: &Batch, start: usize, end: usize, reason: &str) {
        self.recorder
            .give_up(batch, start..end, Outcome::Failed, reason);
        self.leave_backlog(batch, start, end);
    }

    fn leave_backlog(&self, batch: &Batch, start: usize, end: usize) {
        let rows = (start..end).filter_map(|index| batch.rows.get(index));
        let bytes = rows.map(|row| row.json.len()).sum();
        self.recorder.backlog().settle(end - start, bytes);
    }

    fn report_failing(&self, error: &PersistenceError) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            self.recorder.report(&PersistenceEvent::BackendFailing {
                error: error.to_string(),
            });
        }
    }

    fn report_recovered(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            self.recorder.report(&PersistenceEvent::BackendRecovered);
        }
    }
}
