//! A disk that stops, and goes on when the test says so.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use aimdb_persistence::backend::{
    BatchOutcome, Feature, Page, ReadRequest, RowVisitor, Rows, ScanRest, Scanned,
    SeriesDeclaration, SweepReport, SweepRequest,
};
use aimdb_persistence::{
    BoxFuture, Pattern, PersistenceBackend, PersistenceError, QueryParams, StoredValue,
    report::BackendHealth,
};
use aimdb_persistence_sqlite::SqliteBackend;
use serde_json::Value;
use tokio::sync::watch;

use crate::backends::sqlite;

/// SQLite on a file; while it is shut, no batch is stored.
pub struct Gated {
    file: SqliteBackend,
    is_open: watch::Sender<bool>,
}

impl Gated {
    /// A new file in `folder`, open.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            file: sqlite(folder),
            is_open: watch::Sender::new(true),
        }
    }

    /// Lets no batch through from now on.
    pub fn shut(&self) {
        self.is_open.send_replace(false);
    }

    /// Lets every batch through.
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }
}

#[deny(clippy::missing_trait_methods)]
impl PersistenceBackend for Gated {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.file.store(record_name, value, timestamp)
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        self.file.query(record_pattern, params)
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        self.file.cleanup(older_than)
    }

    fn name(&self) -> Cow<'_, str> {
        self.file.name()
    }

    fn initialize(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        self.file.initialize()
    }

    fn supports(&self, feature: Feature) -> bool {
        self.file.supports(feature)
    }

    fn keeps_declarations(&self) -> bool {
        self.file.keeps_declarations()
    }

    fn declare<'a>(
        &'a self,
        declarations: &'a [SeriesDeclaration],
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.file.declare(declarations)
    }

    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        Box::pin(async move {
            let mut is_open = self.is_open.subscribe();
            let open = is_open.wait_for(|open| *open).await;
            drop(open.expect("the gate outlives its visitors"));
            self.file.store_batch(rows).await
        })
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        self.file.read(request)
    }

    fn last_stored<'a>(
        &'a self,
        record_name: &'a str,
    ) -> BoxFuture<'a, Result<Rows, PersistenceError>> {
        self.file.last_stored(record_name)
    }

    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        self.file.sweep(request)
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        self.file.flush()
    }
    fn declarations<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> BoxFuture<'a, Result<Vec<SeriesDeclaration>, PersistenceError>> {
        self.file.declarations(pattern)
    }

    fn scan(
        &self,
        request: ReadRequest,
        rest: Option<ScanRest>,
        visitor: Box<dyn RowVisitor>,
    ) -> BoxFuture<'_, Result<Scanned, PersistenceError>> {
        self.file.scan(request, rest, visitor)
    }

    fn erase<'a>(
        &'a self,
        record_name: &'a str,
        start_ms: u64,
        end_ms: u64,
    ) -> BoxFuture<'a, Result<u64, PersistenceError>> {
        self.file.erase(record_name, start_ms, end_ms)
    }

    fn rename<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.file.rename(from, to)
    }

    fn health(&self) -> BackendHealth {
        self.file.health()
    }
}
