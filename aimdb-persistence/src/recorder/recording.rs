//! The recording of one database: what its tasks share, and the phases of its life.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aimdb_persistence_backend::{PersistenceBackend, PersistenceError};
use event_listener::Event;
use futures_lite::future::{FutureExt, or};
use futures_timer::Delay;

use crate::archive::Archive;
use crate::archive::event::{LossKind, PersistenceEvent};
use crate::archive::options::PersistenceOptions;
use crate::archive::record::RecordState;
use crate::archive::registry::Registry;
use crate::archive::stats::Outcome;
use crate::recorder::backlog::{BACKLOG, Backlog};
use crate::recorder::begun::Begun;
use crate::recorder::intakes::Intakes;
use crate::recorder::running::Running;
use crate::recorder::sleeping::RuntimeClock;
use crate::recorder::subscription::Subscription;
use crate::recorder::tasks::Tasks;
use crate::thinning::gate::Way;

/// How long a backend that fails or hangs may hold up the end of a database.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// The recording of one database.
pub(crate) struct Recorder {
    archive: Archive,
    intakes: Arc<Intakes>,
    backlog: Backlog,
    intervals: Begun,
    phase: AtomicU64,
    ending: Event,
    ending_since: OnceLock<Instant>,
    handover: Running,
    ways: AtomicU64,
    clock: RuntimeClock,
    tasks: Tasks,
    missing: Missing,
}

/// Values that were lost because the runtime ended before they were stored.
#[derive(Debug, Default)]
struct Missing {
    /// How many had been lost when it ended, for other reasons.
    lost_before: OnceLock<u64>,
    told: AtomicU64,
}

/// The phases of a recorder's life only go up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
enum Phase {
    Recording,
    /// The database is gone: what was produced before is still recorded.
    Released,
    /// Recording was closed. Subscribers stop where they are.
    Stopped,
}

impl Recorder {
    pub(crate) fn new(
        options: PersistenceOptions,
        registry: Arc<Registry>,
        intakes: Arc<Intakes>,
    ) -> Self {
        Self {
            backlog: Backlog::new(options.backlog),
            archive: Archive::new(options, registry),
            intakes,
            intervals: Begun::default(),
            phase: AtomicU64::new(Phase::Recording as u64),
            ending: Event::new(),
            ending_since: OnceLock::new(),
            handover: Running::default(),
            ways: AtomicU64::new(BACKLOG.0),
            clock: RuntimeClock::default(),
            tasks: Tasks::default(),
            missing: Missing::default(),
        }
    }

    pub(crate) fn archive(&self) -> &Archive {
        &self.archive
    }

    pub(crate) fn backend(&self) -> &dyn PersistenceBackend {
        self.archive.backend()
    }

    pub(crate) fn options(&self) -> &PersistenceOptions {
        self.archive.options()
    }

    pub(crate) fn intakes(&self) -> &Intakes {
        &self.intakes
    }

    /// A way to the backend that nothing has taken.
    pub(crate) fn another_way(&self) -> Way {
        Way(self.ways.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Records whose interval has begun and has no timer yet.
    pub(crate) fn intervals(&self) -> &Begun {
        &self.intervals
    }

    /// Whether a task hands rows to the backend.
    pub(crate) fn handover(&self) -> &Running {
        &self.handover
    }

    /// The clock by which the tasks sleep.
    pub(crate) fn clock(&self) -> &RuntimeClock {
        &self.clock
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// One call of the backend for one of our tasks. A panic in it is an error like any other. A call that hangs is
    /// given up when the database ends.
    pub(crate) async fn call<T>(
        &self,
        call: impl AsyncFnOnce() -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        let call = AssertUnwindSafe(async { call().await }).catch_unwind();
        match self.before_the_grace_ends(call).await {
            Some(answer) => {
                let panicked = || PersistenceError::panicked(&self.archive.backend().name());
                answer.unwrap_or_else(|_| Err(panicked()))
            }
            None => Err(PersistenceError::BackendShutdown),
        }
    }

    /// `None` if the database has been ending for longer than it may take.
    pub(crate) async fn before_the_grace_ends<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let give_up = async {
            let since = self.end().await;
            Delay::new(GRACE.saturating_sub(since.elapsed())).await;
            None
        };
        or(async { Some(work.await) }, give_up).await
    }

    /// The database is being dropped.
    pub(crate) fn release(&self) {
        self.enter(Phase::Released);
    }

    /// The runtime has dropped all tasks before they were done. Nothing more is taken in, and what was produced before
    /// is still recorded.
    pub(crate) fn leave_runtime(&self) {
        let lost = self.archive.registry().stats().total.lost();
        let _ = self.missing.lost_before.set(lost);
        self.clock.leave();
        self.shut();
        self.release();
        for subscription in self.intakes.subscriptions() {
            subscription.wake();
        }
    }

    /// Whether the runtime has dropped the tasks before they were done.
    pub(crate) fn has_left_runtime(&self) -> bool {
        self.missing.lost_before.get().is_some()
    }

    /// Whether no record was ever recorded, and nothing waits.
    pub(crate) fn has_nothing_to_store(&self) -> bool {
        self.intakes.subscriptions().is_empty() && self.backlog.is_empty()
    }

    /// Reports how many values were not stored since the runtime has dropped the tasks, if there are more by now.
    pub(crate) fn tell_what_is_missing(&self) {
        let Some(lost_before) = self.missing.lost_before.get() else {
            return;
        };
        let total = self.archive.registry().stats().total;
        let missing = (total.lost() + total.pending).saturating_sub(*lost_before);
        let told = self.missing.told.swap(missing, Ordering::AcqRel);
        if missing > told {
            self.report(&PersistenceEvent::NotStoredInTime {
                values: missing - told,
            });
        }
    }

    /// Lets no more values in. Values produced from now on are dropped; earlier ones are still recorded.
    pub(crate) fn shut(&self) {
        for subscription in self.intakes.subscriptions() {
            subscription.shut();
        }
    }

    /// Stops the subscribers where they are.
    pub(crate) fn stop(&self) {
        self.enter(Phase::Stopped);
        for subscription in self.intakes.subscriptions() {
            subscription.wake();
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u64, Ordering::AcqRel);
        self.notice_the_end();
    }

    /// A subscriber has ended: its source is closed, or its task was dropped.
    pub(crate) fn end_subscription(&self, subscription: &Subscription) {
        self.intakes.end_subscription(subscription);
        self.notice_the_end();
    }

    /// The end has come when the database is gone and so are its producers, or when recording was closed.
    fn notice_the_end(&self) {
        if self.is_stopped() || (self.is_released() && self.intakes.all_subscriptions_ended()) {
            self.ending_since.get_or_init(Instant::now);
        }
        self.ending.notify(usize::MAX);
        self.backlog.nudge();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.phase.load(Ordering::Acquire) >= Phase::Stopped as u64
    }

    fn is_released(&self) -> bool {
        self.phase.load(Ordering::Acquire) >= Phase::Released as u64
    }

    /// Whether nothing more can be produced. AimDB 2's producers go on when the database's handle is gone.
    pub(crate) fn is_over(&self) -> bool {
        self.ending_since.get().is_some()
    }

    /// Resolves when nothing more can be produced, and says since when.
    pub(crate) async fn end(&self) -> Instant {
        self.released().await;
        loop {
            let ending = self.ending.listen();
            if let Some(since) = self.ending_since.get() {
                return *since;
            }
            ending.await;
        }
    }

    /// Resolves when the database is dropped or recording is closed.
    pub(crate) async fn released(&self) {
        loop {
            let ending = self.ending.listen();
            if self.is_released() {
                return;
            }
            ending.await;
        }
    }

    /// Counts values as lost, and reports the first loss of this kind.
    pub(crate) fn lose(&self, record: &RecordState, outcome: Outcome, values: u64, reason: &str) {
        self.archive.lose(record, outcome, values, reason);
    }

    /// Reports that a record's ring overwrote values. They were counted where it happened.
    pub(crate) fn report_lag(&self, record: &RecordState) {
        let values = record.counters.count(Outcome::Lagged);
        if values > 0 && !record.lag_reported.swap(true, Ordering::AcqRel) {
            self.report(&PersistenceEvent::Loss {
                record_name: record.name.to_string(),
                kind: LossKind::Lagged,
                values,
                reason:
                    "its ring overwrote them before the recorder came to them: enlarge the buffer"
                        .to_owned(),
            });
        }
    }

    pub(crate) fn report(&self, event: &PersistenceEvent) {
        self.archive.report(event);
    }
}
