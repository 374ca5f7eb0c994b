//! The records of one database that have a history. They are known as soon as they are declared.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence_backend::{Retention, SeriesDeclaration};

use crate::archive::options::PersistenceOptions;
use crate::archive::record::{DeclaredAs, RecordState};
use crate::archive::stats::{PersistenceStats, RecordStats};
use crate::declaration::declared::Restore;
use crate::declaration::policy::Policy;

/// Every persisted record. It exists before the backend is known, so that records may be registered before or after
/// `with_persistence`.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    records: Mutex<BTreeMap<Arc<str>, Arc<RecordState>>>,
    /// How many of them have a problem.
    with_problems: Arc<AtomicUsize>,
    /// Each policy once, however many records have it.
    policies: Mutex<Vec<Arc<Policy>>>,
    /// The variants of types of which a value was read back.
    read_back: Mutex<HashSet<(TypeId, u64)>>,
    /// The types of which something was asked.
    asked: Mutex<HashSet<TypeId>>,
}

impl Registry {
    /// The record of this name, made known if it is new. What its type declares is added to what is known.
    pub(crate) fn record(&self, name: &str, declared: Option<DeclaredAs>) -> Arc<RecordState> {
        let mut records = self.lock();
        let record = match records.get(name) {
            Some(known) => Arc::clone(known),
            None => {
                let record = Arc::new(RecordState::new(name, Arc::clone(&self.with_problems)));
                records.insert(Arc::clone(&record.name), Arc::clone(&record));
                record
            }
        };
        if let Some(declared) = declared {
            // A second declaration of the same record changes nothing.
            let _ = record.declared.set(declared);
        }
        record
    }

    /// The policy, shared with all records that have it.
    pub(crate) fn policy(&self, policy: Policy) -> Arc<Policy> {
        let mut policies = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = policies.iter().find(|known| ***known == policy) {
            return Arc::clone(known);
        }
        let policy = Arc::new(policy);
        policies.push(Arc::clone(&policy));
        policy
    }

    /// Whether no value of this variant of the type was read back before; from now on one was.
    pub(crate) fn is_first_of_variant(&self, type_id: TypeId, variant: u64) -> bool {
        let read_back = self.read_back.lock();
        let mut read_back = read_back.unwrap_or_else(PoisonError::into_inner);
        read_back.insert((type_id, variant))
    }

    /// Whether nothing of this type was asked before; from now on something was.
    pub(crate) fn is_first_question(&self, type_id: TypeId) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(type_id)
    }

    pub(crate) fn known(&self, name: &str) -> Option<Arc<RecordState>> {
        self.lock().get(name).cloned()
    }

    /// The records of which nothing is recorded, and the reason is known.
    pub(crate) fn not_recorded(&self) -> Vec<Arc<RecordState>> {
        if self.with_problems.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        self.those(|record| record.problem.get().is_some())
    }

    /// The records without a problem.
    pub(crate) fn recorded(&self) -> Vec<Arc<RecordState>> {
        self.those(|record| record.problem.get().is_none())
    }

    fn those(&self, are_wanted: impl Fn(&RecordState) -> bool) -> Vec<Arc<RecordState>> {
        let records = self.lock();
        let wanted = records.values().filter(|record| are_wanted(record));
        wanted.cloned().collect()
    }

    /// Every record, by name.
    pub(crate) fn all(&self) -> Vec<Arc<RecordState>> {
        self.lock().values().cloned().collect()
    }

    /// What this run has declared of the record.
    pub(crate) fn declared(&self, name: &str) -> Option<DeclaredAs> {
        self.known(name)?.declared.get().copied()
    }

    /// Whether a record with values of this type is declared.
    pub(crate) fn declares(&self, value_id: TypeId) -> bool {
        let records = self.lock();
        let mut declared = records.values().filter_map(|record| record.declared.get());
        declared.any(|declared| declared.value_id == value_id)
    }

    pub(crate) fn declarations(&self, options: &PersistenceOptions) -> Vec<SeriesDeclaration> {
        let records = self.lock();
        let records = records.values();
        records
            .filter_map(|record| record.declaration(options))
            .collect()
    }

    /// The records of which values are judged.
    pub(crate) fn gated(&self) -> Vec<Arc<RecordState>> {
        self.those(|record| record.gated().is_some())
    }

    /// The records that want their last stored value back, by name.
    pub(crate) fn restorable(&self) -> Vec<(Arc<RecordState>, Restore)> {
        let records = self.lock();
        let records = records.values();
        let wanted = |record: &Arc<RecordState>| {
            let terms = record.declared.get()?.restore?;
            // Of a series that is only stored into, AimDB has no record.
            let is_of_aimdb = record.is_of_a_database() || record.problem.get().is_some();
            is_of_aimdb.then_some(())?;
            Some((Arc::clone(record), terms))
        };
        records.filter_map(wanted).collect()
    }

    /// Every retention that a record declares for itself.
    pub(crate) fn retentions(&self) -> Vec<Retention> {
        let records = self.lock();
        records
            .values()
            .filter_map(|record| record.declared.get()?.retention)
            .collect()
    }

    pub(crate) fn stats(&self) -> PersistenceStats {
        let records: Vec<RecordStats> = self.lock().values().map(|record| record.stats()).collect();
        let total = records.iter().map(|record| record.counts).sum();
        PersistenceStats {
            total,
            records,
            ..PersistenceStats::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<RecordState>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
