//! What the crate adds to the builder and registrar of either major version of AimDB.
//!
//! These traits, and the one of [`database`](crate::aimdb::database), name no type of AimDB. One module per major
//! version implements them. Everything else is provided.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence_backend::PersistenceBackend;
use serde::Serialize;

use crate::aimdb::handle::PersistenceHandle;
use crate::archive::options::PersistenceOptions;
use crate::declaration::declared::{Declared, DeclaredRecord, Record};
use crate::declaration::policy::Policy;

/// Gives a database a history: on AimDB's builder.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given a history",
    label = "not an AimDB builder with a runtime",
    note = "the runtime comes first: `AimDbBuilder::new().runtime(…)`",
    note = "a builder of AimDB 1 needs the feature `aimdb-1` of `aimdb-persistence` (on by default), one of AimDB 2 `aimdb-2`"
)]
pub trait AimDbBuilderPersistExt: Sized {
    /// Records go to `backend`, and their rows are kept for `retention` unless their type declares another.
    /// `Duration::MAX` keeps them for ever. Remote clients' `record.query` is answered from the history too.
    ///
    /// May stand before or after the records that are registered with a declaration. Must stand before a plain
    /// [`persist`](RecordRegistrarPersistExt::persist). If it is called twice, the first call counts, and the second
    /// is reported.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use aimdb_persistence::{AimDbBuilderPersistExt, MemoryBackend};
    ///
    /// fn with_a_week_of_history<Builder: AimDbBuilderPersistExt>(builder: Builder) -> Builder {
    ///     let week = Duration::from_secs(7 * 86_400);
    ///     builder.with_persistence(Arc::new(MemoryBackend::new()), week)
    /// }
    /// ```
    #[must_use = "the builder is returned"]
    fn with_persistence(self, backend: Arc<dyn PersistenceBackend>, retention: Duration) -> Self {
        self.with_persistence_options(PersistenceOptions::new(backend, retention))
    }

    /// [`with_persistence`](Self::with_persistence) with everything else chosen too.
    #[must_use = "the builder is returned"]
    fn with_persistence_options(self, options: PersistenceOptions) -> Self;

    /// The history's handle: for a program that never sees its database, because something else builds and keeps it. To be
    /// called after `with_persistence`. Before it, and without it, the handle answers
    /// [`NotConfigured`](crate::PersistenceError::NotConfigured).
    #[must_use = "the handle is all that this makes"]
    fn persistence(&self) -> PersistenceHandle;

    /// Adds the record with its buffer, and records it. `Series::register` calls it.
    #[doc(hidden)]
    fn register_declared<D: Declared<Value: Record>>(&mut self, declared: DeclaredRecord);
}

/// Records the values of a record: on AimDB's registrar, inside `configure`.
#[diagnostic::on_unimplemented(
    message = "`persist` belongs in the `configure` closure of a record",
    label = "not a record registrar",
    note = "write `builder.configure::<T>(key, |reg| {{ reg.buffer(…).persist(key); }})`"
)]
pub trait RecordRegistrarPersistExt: Sized {
    /// The record's type.
    type Record;

    /// Records every value of this record under `record_name`. The record needs a buffer of its own, and
    /// `with_persistence` must have been called before. Persisting a record twice has no further effect.
    ///
    /// Records that cannot be recorded are reported. Their queries answer
    /// [`PersistenceError::NotRecorded`](crate::PersistenceError::NotRecorded).
    fn persist(self, record_name: impl Into<String>) -> Self
    where
        Self::Record: Serialize,
    {
        self.persist_with(record_name, Policy::new())
    }

    /// [`persist`](Self::persist) under a policy: which values become rows, and how many rows are kept. If a policy
    /// contradicts itself, or the backend cannot keep it, the record is reported and not recorded.
    ///
    /// ```
    /// use aimdb_persistence::{Deadband, Field, Keep, Policy, RecordRegistrarPersistExt};
    /// use serde::Serialize;
    ///
    /// /// At most a row every ten seconds, and only where the pressure has moved by 0.1.
    /// fn record_pressure<Registrar>(registrar: Registrar)
    /// where
    ///     Registrar: RecordRegistrarPersistExt<Record: Serialize>,
    /// {
    ///     let bar: Field<Registrar::Record, f64> = Field::at(&["bar"]);
    ///     let policy = Policy::new()
    ///         .deadband(bar, Deadband::Absolute(0.1))
    ///         .min_interval_ms(10_000, Keep::First);
    ///     registrar.persist_with("pressure.boiler", policy);
    /// }
    /// ```
    fn persist_with(self, record_name: impl Into<String>, policy: Policy) -> Self
    where
        Self::Record: Serialize;

    /// [`persist`](Self::persist) with what the record's type declares. `Series::persist` calls it.
    #[doc(hidden)]
    fn persist_declared<D: Declared<Value = Self::Record>>(self, declared: DeclaredRecord) -> Self
    where
        Self::Record: Record;
}
