//! The methods of the contract: each sends a command or a job to the threads.

use std::borrow::Cow;
use std::panic::resume_unwind;
use std::sync::Arc;

use aimdb_persistence_backend::{
    BackendHealth, BatchOutcome, BoxFuture, Feature, Page, Pattern, PersistenceBackend,
    PersistenceError, QueryParams, ReadRequest, RowVisitor, Rows, ScanRest, Scanned,
    SeriesDeclaration, StoredValue, SweepReport, SweepRequest, query_by_read,
};
use serde_json::Value;

use crate::backend::SqliteBackend;
use crate::read::reading::ReadAnswer;
use crate::read::scan::Scan;
use crate::remove::erase::Erasure;
use crate::remove::expired::Expiry;
use crate::threads::command::{Command, Store};

impl PersistenceBackend for SqliteBackend {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            let mut rows = Rows::new();
            rows.push(record_name, timestamp, &serde_json::to_string(value)?);
            let mut outcome = self.store_rows(Arc::new(rows)).await;
            let refused = outcome.refused.pop().map(|(_, error)| error);
            outcome.stopped_by.or(refused).map_or(Ok(()), Err)
        })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        query_by_read(self, record_pattern, params)
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        Box::pin(async move {
            let cleanup = |answer| Command::Sweep(Expiry::Before(older_than), answer);
            Ok(self.ask(cleanup).await??.removed)
        })
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Owned(format!("SQLite {}", self.path().display()))
    }

    fn keeps_declarations(&self) -> bool {
        true
    }

    fn supports(&self, feature: Feature) -> bool {
        matches!(
            feature,
            Feature::SchemaVersions
                | Feature::KeepLast
                | Feature::MaxRows
                | Feature::OnDuplicate
                | Feature::LastStored
                | Feature::Erasing
                | Feature::Declarations
                | Feature::Renaming
        )
    }

    fn declare<'a>(
        &'a self,
        declarations: &'a [SeriesDeclaration],
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            // Queries of a program that only reads go by the declarations in the file.
            if self.only_reads() {
                return Ok(());
            }
            let declare = |answer| Command::Declare(declarations.to_vec(), answer);
            self.ask(declare).await?
        })
    }

    fn declarations<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> BoxFuture<'a, Result<Vec<SeriesDeclaration>, PersistenceError>> {
        Box::pin(async move {
            let request = ReadRequest::new(pattern.clone());
            self.ask_reader(request, ReadAnswer::Declarations).await?
        })
    }

    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        Box::pin(self.store_rows(rows))
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(async move { self.ask_reader(request, ReadAnswer::Text).await? })
    }

    fn scan(
        &self,
        mut request: ReadRequest,
        rest: Option<ScanRest>,
        visitor: Box<dyn RowVisitor>,
    ) -> BoxFuture<'_, Result<Scanned, PersistenceError>> {
        Box::pin(async move {
            if let Some(rest) = rest {
                request.after = rest.cursor().cloned();
            }
            let scan = |answer| ReadAnswer::Scan(Scan { visitor, answer });
            let scanned = self.ask_reader(request, scan).await?;
            scanned.unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    fn last_stored<'a>(
        &'a self,
        record_name: &'a str,
    ) -> BoxFuture<'a, Result<Rows, PersistenceError>> {
        Box::pin(async move {
            let request = ReadRequest::new(Pattern::exact(record_name));
            self.ask_reader(request, ReadAnswer::LastStored).await?
        })
    }

    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        Box::pin(async move {
            // The program that writes sweeps.
            if self.only_reads() {
                return Ok(SweepReport::default());
            }
            let sweep = |answer| Command::Sweep(Expiry::Retention(request), answer);
            self.ask(sweep).await?
        })
    }

    /// In small steps between commits; the tail is merged first where it holds rows of the series.
    fn erase<'a>(
        &'a self,
        record_name: &'a str,
        start_ms: u64,
        end_ms: u64,
    ) -> BoxFuture<'a, Result<u64, PersistenceError>> {
        Box::pin(async move {
            let Ok(start) = i64::try_from(start_ms) else {
                return Ok(0); // no row lies there
            };
            let end = i64::try_from(end_ms).unwrap_or(i64::MAX);
            let erasure = Erasure::new(record_name, start, end);
            let erase = |answer| Command::Erase(erasure, answer);
            Ok(self.ask(erase).await??.removed)
        })
    }

    fn rename<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        Box::pin(async move {
            let rename = |answer| Command::Rename {
                from: from.into(),
                to: to.into(),
                answer,
            };
            self.ask(rename).await?
        })
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), PersistenceError>> {
        Box::pin(async move {
            if self.only_reads() {
                return Ok(());
            }
            self.ask(Command::Flush).await?
        })
    }

    fn health(&self) -> BackendHealth {
        self.threads.health.report()
    }
}

impl SqliteBackend {
    async fn store_rows(&self, rows: Arc<Rows>) -> BatchOutcome {
        if rows.is_empty() {
            return BatchOutcome::default();
        }
        let store = |answer| Command::Store(Store { rows, answer });
        self.ask(store).await.unwrap_or_else(BatchOutcome::stopped)
    }
}
