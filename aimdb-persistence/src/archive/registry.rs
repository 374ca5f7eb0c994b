//! The records of one database that have a history, known from the moment they are declared.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence_backend::{Pattern, Retention, SeriesDeclaration};

use crate::archive::record::{DeclaredAs, RecordState, Subscription};
use crate::archive::stats::{PersistenceStats, RecordStats};
use crate::declaration::declared::Restore;
use crate::recorder::restoring::Restorable;

/// Every persisted record and every subscriber. It exists before the backend is known, so that records may be
/// registered before or after `with_persistence`.
#[derive(Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    active_subscriptions: AtomicUsize,
}

#[derive(Default)]
struct State {
    records: BTreeMap<Arc<str>, Arc<RecordState>>,
    subscriptions: Vec<Arc<Subscription>>,
    /// Which AimDB record is recorded under which name: the same pair twice is one too many.
    taps: HashSet<(Arc<str>, String)>,
    /// Records whose buffer a declaration has set, and the type that declared it.
    registered: HashMap<String, TypeId>,
    /// Records that are given their last stored value back, and how.
    publishers: HashMap<Arc<str>, Arc<dyn Restorable>>,
}

impl Registry {
    /// The record of this name, made known if it is new. What its type declares is added to what is known.
    pub(crate) fn record(&self, name: &str, declared: Option<DeclaredAs>) -> Arc<RecordState> {
        let mut state = self.lock();
        let record = match state.records.get(name) {
            Some(known) => Arc::clone(known),
            None => {
                let record = Arc::new(RecordState::new(name));
                state
                    .records
                    .insert(Arc::clone(&record.name), Arc::clone(&record));
                record
            }
        };
        if let Some(declared) = declared {
            // A second declaration of the same record changes nothing.
            let _ = record.declared.set(declared);
        }
        record
    }

    pub(crate) fn known(&self, name: &str) -> Option<Arc<RecordState>> {
        self.lock().records.get(name).cloned()
    }

    pub(crate) fn matching(&self, pattern: &Pattern) -> Vec<Arc<RecordState>> {
        match pattern.exact_key() {
            Some(key) => self.known(key).into_iter().collect(),
            None => {
                let state = self.lock();
                state
                    .records
                    .values()
                    .filter(|record| pattern.matches(&record.name))
                    .cloned()
                    .collect()
            }
        }
    }

    /// Every record, by name.
    pub(crate) fn all(&self) -> Vec<Arc<RecordState>> {
        self.lock().records.values().cloned().collect()
    }

    /// Whether the AimDB record `key` is not yet recorded under `name`; from now on it is.
    pub(crate) fn claim(&self, name: &Arc<str>, key: &str) -> bool {
        self.lock().taps.insert((Arc::clone(name), key.to_owned()))
    }

    /// Whether the record is not registered as this type yet. As another type it goes to AimDB a second time, which
    /// refuses it in its own words.
    pub(crate) fn register_once(&self, key: &str, type_id: TypeId) -> bool {
        self.lock().registered.insert(key.to_owned(), type_id) != Some(type_id)
    }

    pub(crate) fn add_subscription(&self, subscription: Arc<Subscription>) {
        self.active_subscriptions.fetch_add(1, Ordering::AcqRel);
        self.lock().subscriptions.push(subscription);
    }

    pub(crate) fn end_subscription(&self, subscription: &Subscription) {
        subscription.end();
        self.active_subscriptions.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn subscriptions(&self) -> Vec<Arc<Subscription>> {
        self.lock().subscriptions.clone()
    }

    pub(crate) fn all_subscriptions_ended(&self) -> bool {
        self.active_subscriptions.load(Ordering::Acquire) == 0
    }

    /// What this run has declared of the record.
    pub(crate) fn declared(&self, name: &str) -> Option<DeclaredAs> {
        self.known(name)?.declared.get().copied()
    }

    pub(crate) fn declarations(&self) -> Vec<SeriesDeclaration> {
        let state = self.lock();
        let records = state.records.values();
        records.filter_map(|record| record.declaration()).collect()
    }

    /// The records of which values are judged.
    pub(crate) fn gated(&self) -> Vec<Arc<RecordState>> {
        let state = self.lock();
        let gated = state
            .records
            .values()
            .filter(|record| record.gated().is_some());
        gated.cloned().collect()
    }

    /// The records that want their last stored value back, by name.
    pub(crate) fn restorable(&self) -> Vec<(Arc<RecordState>, Restore)> {
        let state = self.lock();
        let records = state.records.values();
        let wanted = |record: &Arc<RecordState>| {
            let terms = record.declared.get()?.restore?;
            // Of a series that is only stored into, AimDB has no record.
            let is_of_aimdb = record.recorder.get().is_some() || record.problem.get().is_some();
            is_of_aimdb.then_some(())?;
            Some((Arc::clone(record), terms))
        };
        records.filter_map(wanted).collect()
    }

    pub(crate) fn add_publisher(&self, name: &Arc<str>, publisher: Arc<dyn Restorable>) {
        self.lock().publishers.insert(Arc::clone(name), publisher);
    }

    pub(crate) fn publisher(&self, name: &str) -> Option<Arc<dyn Restorable>> {
        self.lock().publishers.get(name).cloned()
    }

    /// Every retention that a record declares for itself.
    pub(crate) fn retentions(&self) -> Vec<Retention> {
        let state = self.lock();
        state
            .records
            .values()
            .filter_map(|record| record.declared.get()?.retention)
            .collect()
    }

    pub(crate) fn stats(&self) -> PersistenceStats {
        let records: Vec<RecordStats> = self
            .lock()
            .records
            .values()
            .map(|record| record.stats())
            .collect();
        let total = records.iter().map(|record| record.counts).sum();
        PersistenceStats {
            total,
            records,
            ..PersistenceStats::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
