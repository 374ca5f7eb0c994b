//! Which rows a query may look at: of which records, and of which type.

use aimdb_persistence_backend::{Pattern, PatternError, PersistenceError};

use crate::archive::Archive;
use crate::archive::record::DeclaredAs;
use crate::archive::registry::Registry;

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
    pub(crate) fn check_recorded(&self, registry: &Registry) -> Result<(), PersistenceError> {
        if self.even_if_not_recorded {
            return Ok(());
        }
        let mut selected = registry.matching(&self.pattern);
        selected.retain(|record| self.admits(&record.name));
        if let Some(wanted) = self.declared_as {
            selected.retain(|record| {
                record
                    .declared
                    .get()
                    .is_some_and(|d| d.type_id == wanted.type_id)
            });
        }
        if selected.iter().any(|record| record.problem.get().is_none()) {
            return Ok(());
        }
        let broken = selected
            .iter()
            .find_map(|record| Some((&record.name, record.problem.get()?)));
        broken.map_or(Ok(()), |(record_name, reason)| {
            let (record_name, reason) = (record_name.to_string(), reason.clone());
            Err(PersistenceError::NotRecorded {
                record_name,
                reason,
            })
        })
    }

    /// Whether the rows of a record belong to the selection. A backend that keeps declarations has applied them; for
    /// one that does not, what this run has declared decides about the type.
    pub(crate) fn admits_series(&self, name: &str, archive: &Archive) -> bool {
        if !self.pattern.matches(name) || !self.admits(name) {
            return false;
        }
        let keeps_declarations = archive.backend().keeps_declarations();
        match (self.declared_as, archive.registry().declared(name)) {
            (None, _) => true,
            (Some(wanted), Some(known)) => known.type_id == wanted.type_id,
            (Some(_), None) => keeps_declarations || self.pattern.exact_key().is_some(),
        }
    }
}
