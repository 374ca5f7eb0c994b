//! What the recorder knows of one record, and of one stream of values into it.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use aimdb_persistence_backend::{
    Feature, OnDuplicate, PersistenceBackend, Retention, SeriesDeclaration,
};
use event_listener::{Event, EventListener};

use crate::archive::stats::{Counters, Outcome, RecordStats};
use crate::declaration::declared::{BufferKind, FieldInfo, Restore};
use crate::declaration::policy::Policy;
use crate::recorder::direct::Introduced;
use crate::recorder::{Recorder, Rules};

/// One persisted record.
#[derive(Debug)]
pub(crate) struct RecordState {
    pub(crate) name: Arc<str>,
    pub(crate) counters: Counters,
    /// Its Rust type; of several the first.
    pub(crate) type_name: OnceLock<&'static str>,
    pub(crate) declared: OnceLock<DeclaredAs>,
    /// Which of its values become rows, where not all of them do without further ado.
    pub(crate) rules: OnceLock<Box<Rules>>,
    /// Why nothing of it is being recorded, once that is known.
    pub(crate) problem: OnceLock<String>,
    pub(crate) lag_reported: AtomicBool,
    /// Who spreads the news of losses. Weak, since producers hold on to the record for as long as they like.
    pub(crate) recorder: OnceLock<Weak<Recorder>>,
    open_captures: AtomicUsize,
    pub(crate) introduced: Introduced,
}

/// What the record's type declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeclaredAs {
    pub(crate) type_id: TypeId,
    pub(crate) template: &'static str,
    pub(crate) retention: Option<Retention>,
    pub(crate) buffer: Option<BufferKind>,
    pub(crate) version: u32,
    pub(crate) restore: Option<Restore>,
    pub(crate) fields: &'static [FieldInfo],
}

impl RecordState {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            counters: Counters::default(),
            type_name: OnceLock::new(),
            declared: OnceLock::new(),
            rules: OnceLock::new(),
            problem: OnceLock::new(),
            lag_reported: AtomicBool::new(false),
            recorder: OnceLock::new(),
            open_captures: AtomicUsize::new(0),
            introduced: Introduced::default(),
        }
    }

    /// Of several the first holds, as of declarations.
    pub(crate) fn set_rules(&self, rules: Rules) {
        if rules.policy != Policy::new() {
            let _ = self.rules.set(Box::new(rules));
        }
    }

    /// # Errors
    /// If what is declared contradicts itself, or is more than the backend can keep: nothing can be recorded then.
    pub(crate) fn check(&self, backend: &dyn PersistenceBackend) -> Result<(), String> {
        let policy = self.policy();
        policy.check()?;
        let needed = [
            (Feature::SchemaVersions, self.version() > 1),
            (Feature::KeepLast, policy.keep_last.is_some()),
            (Feature::MaxRows, policy.max_rows.is_some()),
            (
                Feature::OnDuplicate,
                policy.on_duplicate != OnDuplicate::Keep,
            ),
        ];
        let mut lacking = needed
            .iter()
            .filter(|(feature, needed)| *needed && !backend.supports(*feature));
        match lacking.next() {
            Some((feature, _)) => Err(format!(
                "it declares {feature}, which its backend cannot keep: remove the setting, or choose another backend"
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        let rules = self.rules.get().map(|rules| rules.policy);
        rules.unwrap_or_default()
    }

    /// How many of its newest rows are kept however old they are.
    pub(crate) fn keep_last(&self) -> u64 {
        let policy = self.policy();
        let is_state = policy.looks_at_values()
            || self
                .declared
                .get()
                .is_some_and(|declared| declared.restore.is_some());
        policy.keep_last.unwrap_or(u64::from(is_state))
    }

    /// The rules that values have to pass, if there are any.
    pub(crate) fn gated(&self) -> Option<&Rules> {
        let rules = self.rules.get().map(|rules| &**rules);
        rules.filter(|rules| rules.policy.judges_values())
    }

    /// The version of its type's schema; 0 where none is declared.
    pub(crate) fn version(&self) -> u32 {
        self.declared.get().map_or(0, |declared| declared.version)
    }

    /// What a backend is to know of the series; `None` where nothing is declared.
    pub(crate) fn declaration(&self) -> Option<SeriesDeclaration> {
        let (declared, rules) = (self.declared.get(), self.rules.get());
        if declared.is_none() && rules.is_none() {
            return None;
        }
        let policy = self.policy();
        let mut declaration = SeriesDeclaration::new(Arc::clone(&self.name));
        if let Some(declared) = declared {
            declaration.template = Some(declared.template.into());
            declaration.retention = declared.retention;
            declaration.fields = declared.fields.iter().map(FieldInfo::owned).collect();
        }
        declaration.keep_last = self.keep_last();
        declaration.max_rows = policy.max_rows;
        declaration.on_duplicate = policy.on_duplicate;
        Some(declaration)
    }

    /// Counts values as dropped, and spreads the news of the first.
    pub(crate) fn drop_values(&self, values: u64, reason: &str) {
        match self.recorder.get().and_then(Weak::upgrade) {
            Some(recorder) => recorder.lose(self, Outcome::Dropped, values, reason),
            None => {
                self.counters.settle(Outcome::Dropped, values);
            }
        }
    }

    pub(crate) fn capture_opened(&self) {
        self.open_captures.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn capture_closed(&self) {
        self.open_captures.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether a buffer of the record feeds the recorder, so that no reader of a buffer needs to.
    pub(crate) fn is_captured(&self) -> bool {
        self.open_captures.load(Ordering::Acquire) > 0
    }

    pub(crate) fn stats(&self) -> RecordStats {
        RecordStats {
            record_name: self.name.to_string(),
            counts: self.counters.snapshot(),
            problem: self.problem.get().cloned(),
        }
    }
}

/// One subscriber's progress. A flush asks it to drain what its source holds, and waits for the answer.
#[derive(Debug, Default)]
pub(crate) struct Subscription {
    wake: Event,
    drain_asked: AtomicU64,
    drain_done: AtomicU64,
    shut: AtomicBool,
    ended: AtomicBool,
    progress: Event,
}

impl Subscription {
    /// There are new values, or a drain is asked for.
    pub(crate) fn wake(&self) {
        self.wake.notify(1);
    }

    pub(crate) fn woken(&self) -> EventListener {
        self.wake.listen()
    }

    /// The latest drain asked for. Read it before draining, report it after.
    pub(crate) fn drain_asked(&self) -> u64 {
        self.drain_asked.load(Ordering::Acquire)
    }

    pub(crate) fn drain_outstanding(&self) -> bool {
        self.drain_asked() != self.drain_done.load(Ordering::Acquire)
    }

    pub(crate) fn drained(&self, drain: u64) {
        if self.drain_done.fetch_max(drain, Ordering::AcqRel) < drain {
            self.progress.notify(usize::MAX);
        }
    }

    /// What is produced from now on is not to be recorded.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::Release);
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.progress.notify(usize::MAX);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Asks for a drain and returns its number.
    pub(crate) fn ask_to_drain(&self) -> u64 {
        let drain = self.drain_asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.wake();
        drain
    }

    /// Resolves when the subscriber has drained all that was there when it was asked, or has ended.
    pub(crate) async fn wait_for_drain(&self, drain: u64) {
        loop {
            let progress = self.progress.listen();
            if self.has_ended() || self.drain_done.load(Ordering::Acquire) >= drain {
                return;
            }
            progress.await;
        }
    }
}
