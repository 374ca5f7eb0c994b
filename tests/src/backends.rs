//! Backends to test on, and backends made to misbehave, through the public trait alone.

use std::borrow::Cow;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence::backend::{
    BackendHealth, BatchOutcome, BoxFuture, Feature, MemoryBackend, Page, Pattern,
    PersistenceBackend, PersistenceError, QueryParams, ReadRequest, RequiredOnly, RowVisitor, Rows,
    ScanRest, Scanned, SeriesDeclaration, StoredValue, SweepReport, SweepRequest, scan_by_read,
};
use aimdb_persistence_postgres::PostgresBackend;
use aimdb_persistence_sqlite::SqliteBackend;
use serde_json::Value;
use tokio::sync::watch;

/// Runs `test` on every backend that the project brings: in memory, SQLite on a real file, the same with rows packed, and
/// PostgreSQL where there is a server.
pub async fn on_every_backend(test: impl AsyncFn(Arc<dyn PersistenceBackend>)) {
    test(Arc::new(MemoryBackend::new())).await;
    let folder = tempfile::tempdir().expect("a folder for the test's file");
    test(Arc::new(sqlite(folder.path()))).await;
    let folder = tempfile::tempdir().expect("a folder for the test's file");
    test(Arc::new(packed_sqlite(folder.path()))).await;
    if let Some(backend) = postgres().await {
        test(Arc::new(backend)).await;
    }
}

/// A new SQLite file in `folder` whose rows are packed at once, eight in a chunk.
///
/// # Panics
/// If it cannot be opened.
pub fn packed_sqlite(folder: &Path) -> SqliteBackend {
    let builder = SqliteBackend::builder(folder.join("history.db")).chunks_of(8);
    builder.open().expect("a new file opens")
}

/// A new schema on a throwaway PostgreSQL server, if there is one.
///
/// # Panics
/// If it cannot be opened.
pub async fn postgres() -> Option<PostgresBackend> {
    let place = aimdb_persistence_test_server::place()?;
    let builder = PostgresBackend::builder(&place.url).schema(place.schema);
    let opened = builder.source("gateway").connect().await;
    Some(opened.expect("the server is there"))
}

/// A new SQLite file in `folder`.
///
/// # Panics
/// If it cannot be opened.
pub fn sqlite(folder: &Path) -> SqliteBackend {
    SqliteBackend::new(folder.join("history.db")).expect("a new file opens")
}

/// A backend as the simplest author writes it: the three required methods over a list of rows.
#[derive(Default)]
pub struct ThreeMethods {
    rows: Mutex<Vec<StoredValue>>,
    leaks: bool,
}

impl ThreeMethods {
    /// Without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// One whose queries return rows of every record, whatever the pattern.
    pub fn leaking() -> Self {
        Self {
            leaks: true,
            ..Self::default()
        }
    }

    /// Every row in the order of storing.
    pub fn rows(&self) -> MutexGuard<'_, Vec<StoredValue>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a row that no database has recorded.
    pub fn plant(&self, record_name: &str, stored_at: u64, value: Value) {
        self.rows().push(StoredValue {
            record_name: record_name.to_owned(),
            value,
            stored_at,
        });
    }

    /// A name that is not a pattern selects itself, as it would in any table.
    fn selects(&self, pattern: &str, name: &str) -> bool {
        self.leaks
            || pattern == name
            || Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(name))
    }
}

impl PersistenceBackend for ThreeMethods {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            self.plant(record_name, timestamp, value.clone());
            Ok(())
        })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        Box::pin(async move {
            let in_range = |row: &StoredValue| {
                params.start_time.is_none_or(|start| row.stored_at >= start)
                    && params.end_time.is_none_or(|end| row.stored_at <= end)
            };
            let mut rows = self.rows().clone();
            rows.reverse();
            rows.sort_by(|a, b| (&a.record_name, b.stored_at).cmp(&(&b.record_name, a.stored_at)));
            rows.retain(|row| self.selects(record_pattern, &row.record_name) && in_range(row));
            let (mut record, mut taken) = (String::new(), 0);
            rows.retain(|row| {
                taken = if row.record_name == record {
                    taken + 1
                } else {
                    1
                };
                record.clone_from(&row.record_name);
                params.limit_per_record.is_none_or(|limit| taken <= limit)
            });
            Ok(rows)
        })
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async move {
            let mut rows = self.rows();
            let before = rows.len();
            rows.retain(|row| row.stored_at >= older_than);
            Ok((before - rows.len()) as u64)
        })
    }
}

/// A call of a backend, as an [`Interposed`] one announces it.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// `initialize`
    Initialize,
    /// `store` of this value
    Store(Value),
    /// `query`
    Query,
    /// `cleanup`
    Cleanup,
    /// `flush`
    Flush,
    /// `erase`
    Erase,
    /// `declare` of these records
    Declare(Vec<String>),
}

type Hook = dyn Fn(Call) -> BoxFuture<'static, Result<(), PersistenceError>> + Send + Sync;

/// Rows in memory, and code of the test's before every call: it may fail, wait, panic or never return.
pub struct Interposed {
    rows: MemoryBackend,
    before: Box<Hook>,
}

impl Interposed {
    /// Calls `before` first, and goes on if it agrees.
    pub fn new<F>(before: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), PersistenceError>> + Send + 'static,
    {
        Self {
            rows: MemoryBackend::new(),
            before: Box::new(move |call| Box::pin(before(call))),
        }
    }

    /// Has these calls wait at the gate.
    pub fn waiting_at(gate: &Gate, waits: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        let gate = gate.clone();
        Self::new(move |call| {
            let passed = waits(&call).then(|| gate.passed());
            async move {
                if let Some(passed) = passed {
                    passed.await;
                }
                Ok(())
            }
        })
    }

    /// What was stored.
    pub fn rows(&self) -> MemoryBackend {
        self.rows.clone()
    }
}

/// Reads and batches go by the three required methods, so that the test's code comes before each row.
#[deny(clippy::missing_trait_methods)]
impl PersistenceBackend for Interposed {
    fn initialize(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        (self.before)(Call::Initialize)
    }

    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            (self.before)(Call::Store(value.clone())).await?;
            self.rows.store(record_name, value, timestamp).await
        })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        Box::pin(async move {
            (self.before)(Call::Query).await?;
            self.rows.query(record_pattern, params).await
        })
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async move {
            (self.before)(Call::Cleanup).await?;
            self.rows.cleanup(older_than).await
        })
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        (self.before)(Call::Flush)
    }

    fn erase<'a>(
        &'a self,
        record_name: &'a str,
        start_ms: u64,
        end_ms: u64,
    ) -> BoxFuture<'a, Result<u64, PersistenceError>> {
        Box::pin(async move {
            (self.before)(Call::Erase).await?;
            self.rows.erase(record_name, start_ms, end_ms).await
        })
    }

    fn name(&self) -> Cow<'_, str> {
        self.rows.name()
    }

    fn keeps_declarations(&self) -> bool {
        false
    }

    fn supports(&self, feature: Feature) -> bool {
        matches!(feature, Feature::Erasing | Feature::Renaming)
    }

    fn declare<'a>(
        &'a self,
        declarations: &'a [SeriesDeclaration],
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            let names = declarations.iter().map(|of| of.record_name.to_string());
            (self.before)(Call::Declare(names.collect())).await?;
            self.rows.declare(declarations).await
        })
    }

    fn declarations<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> BoxFuture<'a, Result<Vec<SeriesDeclaration>, PersistenceError>> {
        self.rows.declarations(pattern)
    }

    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        Box::pin(async move { RequiredOnly(self).store_batch(rows).await })
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(async move { RequiredOnly(self).read(request).await })
    }

    fn scan(
        &self,
        request: ReadRequest,
        rest: Option<ScanRest>,
        visitor: Box<dyn RowVisitor>,
    ) -> BoxFuture<'_, Result<Scanned, PersistenceError>> {
        scan_by_read(self, request, rest, visitor)
    }

    fn last_stored<'a>(
        &'a self,
        record_name: &'a str,
    ) -> BoxFuture<'a, Result<Rows, PersistenceError>> {
        Box::pin(async move { RequiredOnly(self).last_stored(record_name).await })
    }

    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        Box::pin(async move { RequiredOnly(self).sweep(request).await })
    }

    fn rename<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.rows.rename(from, to)
    }

    fn health(&self) -> BackendHealth {
        self.rows.health()
    }
}

/// A gate that is shut at first: who comes to it waits until it is opened.
#[derive(Clone)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// Shut.
    pub fn shut() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets everybody through from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Resolves once the gate is open.
    pub fn passed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.0.subscribe();
        async move {
            state
                .wait_for(|open| *open)
                .await
                .expect("the gate outlives its visitors");
        }
    }
}
