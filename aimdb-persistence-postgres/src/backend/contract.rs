//! The methods of the contract: each sends a command or a question to the backend's own runtime.

use std::borrow::Cow;
use std::sync::Arc;

use aimdb_persistence_backend::{
    BackendHealth, BatchOutcome, BoxFuture, Feature, Page, Pattern, PersistenceBackend,
    PersistenceError, QueryParams, ReadRequest, Rows, SeriesDeclaration, StoredValue, SweepReport,
    SweepRequest, query_by_read,
};
use serde_json::Value;

use crate::backend::PostgresBackend;
use crate::remove::expired::Expiry;
use crate::threads::command::{Command, Store};
use crate::threads::readers::Question;

impl PersistenceBackend for PostgresBackend {
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
        Cow::Borrowed(self.threads.connector.server())
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
            // Queries of a program that only reads go by the declarations in the database.
            if self.threads.only_reads() {
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
            let declarations = |answer| Question::Declarations(pattern.clone(), answer);
            self.threads.readers()?.ask(declarations).await
        })
    }

    fn store_batch(&self, rows: Arc<Rows>) -> BoxFuture<'_, BatchOutcome> {
        Box::pin(self.store_rows(rows))
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page, PersistenceError>> {
        Box::pin(async move {
            let page = |answer| Question::Page(request, answer);
            self.threads.readers()?.ask(page).await
        })
    }

    fn last_stored<'a>(
        &'a self,
        record_name: &'a str,
    ) -> BoxFuture<'a, Result<Rows, PersistenceError>> {
        Box::pin(async move {
            let last = |answer| Question::LastStored(record_name.to_owned(), answer);
            self.threads.readers()?.ask(last).await
        })
    }

    fn sweep(&self, request: SweepRequest) -> BoxFuture<'_, Result<SweepReport, PersistenceError>> {
        Box::pin(async move {
            // The program that writes sweeps.
            if self.threads.only_reads() {
                return Ok(SweepReport::default());
            }
            let sweep = |answer| Command::Sweep(Expiry::Retention(request), answer);
            self.ask(sweep).await?
        })
    }

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
            let erase = |answer| Command::Erase {
                record_name: record_name.into(),
                start,
                end: i64::try_from(end_ms).unwrap_or(i64::MAX),
                answer,
            };
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
            if self.threads.only_reads() {
                return Ok(());
            }
            self.ask(Command::Flush).await?
        })
    }

    fn health(&self) -> BackendHealth {
        self.threads.health.report()
    }
}

impl PostgresBackend {
    async fn store_rows(&self, rows: Arc<Rows>) -> BatchOutcome {
        if rows.is_empty() {
            return BatchOutcome::default();
        }
        let store = |answer| Command::Store(Store { rows, answer });
        self.ask(store).await.unwrap_or_else(BatchOutcome::stopped)
    }
}
