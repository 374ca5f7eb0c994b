//! Which rows a query may look at: of which records, of which type, and how old.

use std::sync::Arc;

use aimdb_persistence_backend::{Pattern, PatternError, PersistenceError};
use futures_lite::future::yield_now;

use crate::archive::Archive;
use crate::archive::record::{DeclaredAs, RecordState};
use crate::archive::registry::Registry;
use crate::time::now_ms;

/// So many records are matched before other tasks of the executor have their turn.
const RECORDS_PER_TURN: usize = 1_000;

/// Whether who asks may see the rows of a record.
pub(crate) type Admits = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Which series a query reads, and of which type they must be.
pub(crate) struct Selection {
    pub(crate) pattern: Pattern,
    /// Set where a malformed pattern is tried as an exact key, which no key is too odd for.
    pub(crate) malformed: Option<PatternError>,
    pub(crate) declared_as: Option<DeclaredAs>,
    /// Where the asker may not see every record.
    admits: Option<Admits>,
    /// Whether it is no error that of all records selected none is recorded.
    even_if_not_recorded: bool,
}

impl Selection {
    /// The series that a user's pattern selects, whatever their type.
    pub(crate) fn by_pattern(pattern: &str) -> Self {
        let (pattern, malformed) = match Pattern::parse(pattern) {
            Ok(pattern) => (pattern, None),
            Err(error) => (Pattern::exact(pattern), Some(error)),
        };
        Self {
            pattern,
            malformed,
            declared_as: None,
            admits: None,
            even_if_not_recorded: false,
        }
    }

    /// The series of this key, wildcards or not.
    pub(crate) fn by_exact_key(key: &str) -> Self {
        Self {
            pattern: Pattern::exact(key),
            ..Self::by_pattern("#")
        }
    }

    /// Series of one declared type only.
    pub(crate) fn of_type(pattern: Pattern, declared_as: DeclaredAs) -> Self {
        Self {
            pattern,
            malformed: None,
            declared_as: Some(declared_as),
            admits: None,
            even_if_not_recorded: false,
        }
    }

    /// Confined to the records that `admits` lets through: of others nothing is told.
    pub(crate) fn admitting(self, admits: Admits) -> Self {
        let admits = Some(admits);
        Self { admits, ..self }
    }

    /// What was stored earlier is told of all the same.
    pub(crate) fn even_if_not_recorded(self) -> Self {
        Self {
            even_if_not_recorded: true,
            ..self
        }
    }

    pub(crate) fn admits(&self, record_name: &str) -> bool {
        self.admits
            .as_ref()
            .is_none_or(|admits| admits(record_name))
    }

    /// # Errors
    /// If records are selected that are persisted but not recorded, and no other record of this run is. One such record
    /// among others does not keep their rows from being seen: it has been reported, and stands in the statistics.
    pub(crate) async fn check_recorded(&self, registry: &Registry) -> Result<(), PersistenceError> {
        if self.even_if_not_recorded {
            return Ok(());
        }
        let broken = registry.not_recorded();
        let Some(broken) = self.first_of(broken).await else {
            return Ok(());
        };
        let recorded = registry.recorded();
        if self.first_of(recorded).await.is_some() {
            return Ok(());
        }
        Err(PersistenceError::NotRecorded {
            record_name: broken.name.to_string(),
            reason: broken.problem.get().cloned().unwrap_or_default(),
        })
    }

    /// Under no lock, and with other tasks' turns in between: a pattern may come from the network, and records are many.
    async fn first_of(&self, records: Vec<Arc<RecordState>>) -> Option<Arc<RecordState>> {
        for (index, record) in records.into_iter().enumerate() {
            if index % RECORDS_PER_TURN == RECORDS_PER_TURN - 1 {
                yield_now().await;
            }
            let is_of_the_type = self.declared_as.is_none_or(|wanted| {
                let declared = record.declared.get();
                declared.is_some_and(|declared| declared.type_id == wanted.type_id)
            });
            if is_of_the_type && self.pattern.matches(&record.name) && self.admits(&record.name) {
                return Some(record);
            }
        }
        None
    }

    /// Which rows of a record belong to the selection. A backend that keeps declarations has applied them; for
    /// one that does not, what this run has declared decides about type and expiry.
    pub(crate) fn admission(&self, name: &str, archive: &Archive) -> Admission {
        if !self.pattern.matches(name) || !self.admits(name) {
            return Admission::None;
        }
        let registry = archive.registry();
        let keeps_declarations = archive.backend().keeps_declarations();
        let known = registry.declared(name);
        let of_the_type = match (self.declared_as, known) {
            (None, _) => true,
            (Some(wanted), Some(known)) => known.type_id == wanted.type_id,
            (Some(_), None) => keeps_declarations || self.pattern.exact_key().is_some(),
        };
        if !of_the_type {
            return Admission::None;
        }
        if keeps_declarations {
            return Admission::From(0);
        }
        let retention = known
            .and_then(|declared| declared.retention)
            .unwrap_or(archive.options().retention);
        Admission::From(retention.cutoff_ms(now_ms()).unwrap_or(0))
    }
}

/// Of one record.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Admission {
    None,
    From(u64),
}
