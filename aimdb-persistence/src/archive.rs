//! What a program knows of one history: its backend, its records, options, counters and events. A question needs no
//! more.

pub(crate) mod changes;
pub(crate) mod event;
pub(crate) mod findings;
pub(crate) mod odd_times;
pub(crate) mod options;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod remote_access;
pub(crate) mod reporter;
pub(crate) mod stats;
pub(crate) mod told;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use aimdb_persistence_backend::{
    BackendHealth, PersistenceBackend, PersistenceError, SeriesDeclaration, StorageErrorKind,
};
use async_lock::OnceCell;

use crate::archive::event::PersistenceEvent;
use crate::archive::odd_times::Clock;
use crate::archive::options::PersistenceOptions;
use crate::archive::record::RecordState;
use crate::archive::registry::Registry;
use crate::archive::reporter::Reporter;
use crate::archive::stats::{Outcome, PersistenceStats};
use crate::archive::told::Told;
use crate::time::now_ms;

/// A history that can be asked and managed. It needs no database, no runtime, and records nothing.
///
/// A database carries one of its own. [`open`](Self::open) makes one for a program that only asks: a report, a tool,
/// a second process beside the one that records. Clones share it.
///
/// ```
/// use std::sync::Arc;
/// use aimdb_persistence::prelude::*;
/// use aimdb_persistence::{MemoryBackend, PersistenceError};
///
/// # fn main() -> Result<(), PersistenceError> {
/// # futures_lite::future::block_on(async {
/// let archive = Archive::open(Arc::new(MemoryBackend::new())).await?;
/// assert_eq!(archive.history("temperature.*").count().await?, 0);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone)]
pub struct Archive {
    shared: Arc<Shared>,
}

struct Shared {
    options: PersistenceOptions,
    registry: Arc<Registry>,
    reporter: Arc<Reporter>,
    initialized: OnceCell<()>,
    declared: OnceCell<()>,
    /// How many were declared.
    declarations: AtomicUsize,
    undecodable: AtomicU64,
    swept: AtomicU64,
    told: Told,
}

impl Archive {
    /// Opens what a backend keeps. A backend that was opened read-only stays so: nothing is declared and nothing swept.
    ///
    /// # Errors
    /// The backend's, if it cannot be initialised.
    pub async fn open(backend: Arc<dyn PersistenceBackend>) -> Result<Self, PersistenceError> {
        Self::open_with(PersistenceOptions::new(backend, Duration::MAX)).await
    }

    /// [`open`](Self::open) with options: who hears of events, for one.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(options: PersistenceOptions) -> Result<Self, PersistenceError> {
        let archive = Self::new(options, Arc::default());
        archive.prepare().await?;
        Ok(archive)
    }

    pub(crate) fn new(options: PersistenceOptions, registry: Arc<Registry>) -> Self {
        let reporter = Arc::new(Reporter::new(options.listener.clone()));
        Self {
            shared: Arc::new(Shared {
                options,
                registry,
                reporter,
                initialized: OnceCell::new(),
                declared: OnceCell::new(),
                declarations: AtomicUsize::new(0),
                undecodable: AtomicU64::new(0),
                swept: AtomicU64::new(0),
                told: Told::default(),
            }),
        }
    }

    pub(crate) fn backend(&self) -> &dyn PersistenceBackend {
        &*self.shared.options.backend
    }

    pub(crate) fn options(&self) -> &PersistenceOptions {
        &self.shared.options
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    pub(crate) fn reporter(&self) -> &Arc<Reporter> {
        &self.shared.reporter
    }

    /// Initialises the backend and tells it the declarations, once, before the first row is stored or read.
    pub(crate) async fn prepare(&self) -> Result<(), PersistenceError> {
        let shared = &self.shared;
        let initialize = async || self.backend().initialize().await;
        shared.initialized.get_or_try_init(initialize).await?;
        let declare = async || self.declare().await;
        shared.declared.get_or_try_init(declare).await?;
        Ok(())
    }

    /// [`prepare`](Self::prepare) when all records are known. A handle may have asked before that.
    pub(crate) async fn prepare_all(&self) -> Result<(), PersistenceError> {
        self.prepare().await?;
        let declared = self.shared.declarations.load(Ordering::Acquire);
        if self.registry().declarations(self.options()).len() > declared {
            self.declare().await?;
        }
        Ok(())
    }

    async fn declare(&self) -> Result<(), PersistenceError> {
        let declarations = self.registry().declarations(self.options());
        if !declarations.is_empty() {
            self.report_findings().await?;
            self.declare_these(&declarations).await?;
        }
        let declared = &self.shared.declarations;
        declared.store(declarations.len(), Ordering::Release);
        Ok(())
    }

    /// One record never hides another. If a backend refuses one declaration, only that record is not recorded. If it
    /// refuses all, the backend is at fault.
    async fn declare_these(
        &self,
        declarations: &[SeriesDeclaration],
    ) -> Result<(), PersistenceError> {
        let Err(error) = self.backend().declare(declarations).await else {
            return Ok(());
        };
        // The storage is at fault, whatever is declared. All of it is tried again.
        if is_of_the_storage(&error) {
            return Err(error);
        }
        let mut refused = Vec::new();
        for declaration in declarations {
            let alone = self.backend().declare(slice::from_ref(declaration)).await;
            match alone {
                Ok(()) => {}
                Err(error) if is_of_the_storage(&error) => return Err(error),
                Err(error) => refused.push((&declaration.record_name, error)),
            }
        }
        let are_at_fault = refused.iter().all(|(_, error)| error.is_about_the_row());
        if refused.len() == declarations.len() && !are_at_fault {
            return Err(error);
        }
        for (record_name, error) in refused {
            if let Some(record) = self.registry().known(record_name) {
                let reason = format!("its declaration was refused: {error}");
                record.refuse(Some(self.reporter()), &reason);
            }
        }
        Ok(())
    }

    pub(crate) fn stats(&self) -> PersistenceStats {
        PersistenceStats {
            undecodable: self.shared.undecodable.load(Ordering::Relaxed),
            swept: self.shared.swept.load(Ordering::Relaxed),
            backend: self.health(),
            ..self.shared.registry.stats()
        }
    }

    /// Counts values as lost, and reports the first loss of this kind.
    pub(crate) fn lose(&self, record: &RecordState, outcome: Outcome, values: u64, reason: &str) {
        record.lose(&self.shared.reporter, outcome, values, reason);
    }

    /// Counts rows that do not decode. The caller reports them.
    pub(crate) fn count_undecodable(&self, rows: u64) {
        self.shared.undecodable.fetch_add(rows, Ordering::Relaxed);
    }

    /// Counts rows that a sweep has removed.
    pub(crate) fn count_swept(&self, rows: u64) {
        self.shared.swept.fetch_add(rows, Ordering::Relaxed);
    }

    /// By what the times of rows are judged.
    pub(crate) fn clock(&self) -> Clock {
        Clock {
            now_ms: now_ms(),
            max_ahead_ms: self.options().max_ahead_ms,
        }
    }

    pub(crate) fn report(&self, event: &PersistenceEvent) {
        self.shared.reporter.report(event);
    }

    /// Reports what the backend has done of its own accord since the last report.
    pub(crate) fn report_health(&self) {
        let events = self.shared.told.not_yet_told(&self.health());
        events.iter().for_each(|event| self.report(event));
    }

    /// A backend that panics here has nothing to tell.
    fn health(&self) -> BackendHealth {
        catch_unwind(AssertUnwindSafe(|| self.backend().health())).unwrap_or_default()
    }
}

fn is_of_the_storage(error: &PersistenceError) -> bool {
    let kind = error.storage_kind();
    kind.is_some_and(|kind| kind != StorageErrorKind::Other)
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive")
            .field("options", self.options())
            .finish_non_exhaustive()
    }
}
