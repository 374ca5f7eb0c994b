//! Backends to test on, and backends made to misbehave, through the public trait alone.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence::{
    BoxFuture, MemoryBackend, Pattern, PersistenceBackend, PersistenceError, QueryParams,
    StoredValue,
};
use aimdb_persistence_sqlite::SqliteBackend;
use serde_json::Value;
use tokio::sync::watch;

/// Runs `test` on every backend that the project brings: in memory, and SQLite on a real file.
pub async fn on_every_backend(test: impl AsyncFn(Arc<dyn PersistenceBackend>)) {
    test(Arc::new(MemoryBackend::new())).await;
    let folder = tempfile::tempdir().expect("a folder for the test's file");
    test(Arc::new(sqlite(folder.path()))).await;
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
