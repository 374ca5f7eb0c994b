//! Recording: from the values pushed into a record's buffer to rows that the backend has stored.
//!
//! ```text
//! record's buffer ─ capture ─ subscriber ─ backlog ─ handover ─ PersistenceBackend
//!                 (or reader)  serialise   bounded    batches
//! ```
//!
//! Invariant: whoever takes a value out of one stage either puts it into the next or settles it in exactly one
//! counter before anything else can go wrong.

mod backlog;
mod batches;
mod capture;
pub(crate) mod direct;
mod handover;
pub(crate) mod intake;
mod intervals;
mod judging;
mod learning;
pub(crate) mod restore;
pub(crate) mod restoring;
mod running;
mod subscriber;
pub(crate) mod sweep;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aimdb_persistence_backend::{BackendHealth, BoxFuture, PersistenceBackend, PersistenceError};
use async_lock::OnceCell;
use event_listener::Event;
use futures_lite::future::{FutureExt, or};
use futures_timer::Delay;

pub(crate) use crate::archive::record::{DeclaredAs, RecordState, Subscription};
pub(crate) use crate::archive::registry::Registry;
pub(crate) use crate::archive::told::Told;
use crate::recorder::backlog::Backlog;
pub(crate) use crate::recorder::capture::{Capture, Received};
pub(crate) use crate::recorder::direct::DirectWriter;
pub(crate) use crate::recorder::handover::hand_over;
use crate::recorder::intervals::Begun;
pub(crate) use crate::recorder::judging::Rules;
pub(crate) use crate::recorder::restoring::{CapturedRecord, ProduceAtOnce, Published};
use crate::recorder::running::Running;
pub(crate) use crate::recorder::subscriber::{CaptureSource, Next, Subscriber, ValueSource};

use crate::archive::event::{LossKind, PersistenceEvent, report};
use crate::archive::options::PersistenceOptions;
use crate::archive::stats::{Outcome, PersistenceStats};
use crate::time::duration_ms;

/// How long a backend that fails or hangs may hold up the end of a database.
const GRACE: Duration = Duration::from_secs(5);

/// Sleeps on the clock of the database's runtime.
pub(crate) type Sleep = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// The recording of one database.
pub(crate) struct Recorder {
    options: PersistenceOptions,
    registry: Arc<Registry>,
    backlog: Backlog,
    intervals: Begun,
    initialized: OnceCell<()>,
    declared: OnceCell<()>,
    phase: AtomicU64,
    ending: Event,
    ending_since: OnceLock<Instant>,
    handover: Running,
    undecodable: AtomicU64,
    told: Told,
}

/// The phases of a recorder's life only go up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
enum Phase {
    Recording,
    /// The database is gone: what was produced before is still recorded.
    Released,
    /// Recording was closed: subscribers end where they are.
    Stopped,
}

impl Recorder {
    pub(crate) fn new(options: PersistenceOptions, registry: Arc<Registry>) -> Self {
        Self {
            backlog: Backlog::new(options.backlog_rows, options.backlog_bytes),
            options,
            registry,
            intervals: Begun::default(),
            initialized: OnceCell::new(),
            declared: OnceCell::new(),
            phase: AtomicU64::new(Phase::Recording as u64),
            ending: Event::new(),
            ending_since: OnceLock::new(),
            handover: Running::default(),
            undecodable: AtomicU64::new(0),
            told: Told::default(),
        }
    }

    pub(crate) fn backend(&self) -> &dyn PersistenceBackend {
        &*self.options.backend
    }

    pub(crate) fn options(&self) -> &PersistenceOptions {
        &self.options
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Records whose interval has begun and has no timer yet.
    pub(crate) fn intervals(&self) -> &Begun {
        &self.intervals
    }

    /// Initialises the backend and tells it the declarations, once, before the first row is stored or read.
    pub(crate) async fn prepare(&self) -> Result<(), PersistenceError> {
        let initialize = async || self.backend().initialize().await;
        let declare = async || self.backend().declare(&self.registry.declarations()).await;
        self.initialized.get_or_try_init(initialize).await?;
        self.declared.get_or_try_init(declare).await?;
        Ok(())
    }

    pub(crate) fn stats(&self) -> PersistenceStats {
        PersistenceStats {
            undecodable: self.undecodable.load(Ordering::Relaxed),
            backend: self.health(),
            ..self.registry.stats()
        }
    }

    /// One call of the backend for a task of ours. A panic in it is an error like another, and one that hangs is given
    /// up when the database ends.
    pub(crate) async fn call<T>(
        &self,
        call: impl AsyncFnOnce() -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        let call = AssertUnwindSafe(async { call().await }).catch_unwind();
        match self.before_the_grace_ends(call).await {
            Some(answer) => answer.unwrap_or_else(|_| Err(PersistenceError::panicked())),
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

    /// Waits until every value produced before the call is stored or counted, then for the backend's own flush.
    pub(crate) async fn flush(&self, deadline: Duration) -> Result<(), PersistenceError> {
        let drain_then_settle = async {
            let subscriptions = self.registry.subscriptions();
            let asked: Vec<_> = subscriptions
                .iter()
                .map(|subscription| subscription.ask_to_drain())
                .collect();
            for (subscription, drain) in subscriptions.iter().zip(asked) {
                subscription.wait_for_drain(drain).await;
            }
            self.end_intervals();
            self.backlog.wait_until_settled().await;
            Ok(())
        };
        let abandoned = async {
            self.handover.wait_for_its_absence().await;
            let pending = self.registry.stats().total.pending;
            Err(PersistenceError::NotRunning { pending })
        };
        let flushed = async {
            or(drain_then_settle, abandoned).await?;
            let flushed = self.backend().flush().await;
            self.report_health();
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
            let pending = self.registry.stats().total.pending;
            Err(PersistenceError::Timeout {
                waiting_for,
                deadline_ms: duration_ms(deadline),
                pending,
            })
        };
        or(work, expire).await
    }

    /// The database is being dropped.
    pub(crate) fn release(&self) {
        self.enter(Phase::Released);
    }

    /// Lets no more values in: what is produced from now on is dropped, what was produced before is still recorded.
    pub(crate) fn shut(&self) {
        for subscription in self.registry.subscriptions() {
            subscription.shut();
        }
    }

    /// Ends the subscribers where they are.
    pub(crate) fn stop(&self) {
        self.enter(Phase::Stopped);
        for subscription in self.registry.subscriptions() {
            subscription.wake();
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u64, Ordering::AcqRel);
        self.news_of_the_end();
    }

    /// A subscriber has ended: its source is closed, or its task was dropped.
    pub(crate) fn end_subscription(&self, subscription: &Subscription) {
        self.registry.end_subscription(subscription);
        self.news_of_the_end();
    }

    /// The end has come when the database is gone and so are its producers, or when recording was closed.
    fn news_of_the_end(&self) {
        if self.is_stopped() || (self.is_released() && self.registry.all_subscriptions_ended()) {
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

    /// Counts values as lost, and spreads the news of the first loss of this kind.
    pub(crate) fn lose(&self, record: &RecordState, outcome: Outcome, values: u64, reason: &str) {
        let before = record.counters.settle(outcome, values);
        if before == 0
            && let Some(kind) = LossKind::of(outcome)
        {
            self.report(&PersistenceEvent::Loss {
                record_name: record.name.to_string(),
                kind,
                values,
                reason: reason.to_owned(),
            });
        }
    }

    /// Spreads the news that a record's ring overwrote values, which were counted where it happened.
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

    /// Counts a row that does not decode, and spreads the news of a query's first one.
    pub(crate) fn skip_undecodable(&self, event: impl FnOnce() -> PersistenceEvent, first: bool) {
        self.undecodable.fetch_add(1, Ordering::Relaxed);
        if first {
            self.report(&event());
        }
    }

    /// Spreads the news of what the backend has done of its own accord.
    pub(crate) fn report_health(&self) {
        let news = self.told.news(&self.health());
        news.iter().for_each(|event| self.report(event));
    }

    /// A backend that panics here has nothing to tell.
    fn health(&self) -> BackendHealth {
        catch_unwind(AssertUnwindSafe(|| self.backend().health())).unwrap_or_default()
    }

    /// Counts rows that do not decode, of which the caller tells.
    pub(crate) fn count_undecodable(&self, rows: u64) {
        self.undecodable.fetch_add(rows, Ordering::Relaxed);
    }

    pub(crate) fn report(&self, event: &PersistenceEvent) {
        report(self.options.listener.as_ref(), event);
    }
}
