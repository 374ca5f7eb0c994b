//! What the tests share.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::backend::{BatchOutcome, PersistenceError, Rows};
use aimdb_persistence::{PersistenceBackend, QueryParams};
use aimdb_persistence_postgres::{PostgresBackend, PostgresBackendBuilder};
use aimdb_persistence_test_server::{Place, place};

/// A schema of its own, if there is a server.
pub(crate) fn scratch() -> Option<Place> {
    place()
}

/// Opens the place under a name.
pub(crate) fn builder(place: &Place, source: &str) -> PostgresBackendBuilder {
    let builder = PostgresBackend::builder(&place.url).schema(&*place.schema);
    builder.source(source)
}

pub(crate) async fn open(place: &Place, source: &str) -> PostgresBackend {
    let opened = builder(place, source).connect().await;
    opened.expect("the server is there")
}

/// Rows of one record, each with its time as its value.
pub(crate) fn rows(record_name: &str, times: impl IntoIterator<Item = u64>) -> Arc<Rows> {
    let mut rows = Rows::new();
    for at in times {
        rows.push(record_name, at, &at.to_string());
    }
    Arc::new(rows)
}

/// Stores a batch, as often as a recorder would.
pub(crate) async fn store_at_last(backend: &PostgresBackend, rows: &Arc<Rows>) -> BatchOutcome {
    loop {
        let outcome = backend.store_batch(Arc::clone(rows)).await;
        match &outcome.stopped_by {
            None => return outcome,
            Some(error) => {
                let kind = error.storage_kind();
                let busy = aimdb_persistence::backend::StorageErrorKind::Busy;
                assert_eq!(kind, Some(busy), "only what passes is tried again: {error}");
                assert_eq!(outcome.settled, 0, "all of a batch, or nothing");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// The values of a record, oldest first.
pub(crate) async fn values(
    backend: &PostgresBackend,
    pattern: &str,
) -> Result<Vec<u64>, PersistenceError> {
    let rows = backend.query(pattern, QueryParams::default()).await?;
    let values = rows
        .iter()
        .rev()
        .map(|row| row.value.as_u64().unwrap_or(u64::MAX));
    Ok(values.collect())
}

/// A session of the test's own, on which it looks at the tables.
pub(crate) async fn session(place: &Place) -> tokio_postgres::Client {
    let url = &place.url;
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("the server is there");
    tokio::spawn(connection);
    let path = format!("SET search_path = \"{}\"", place.schema);
    client
        .batch_execute(&path)
        .await
        .expect("the schema is there");
    client
}
