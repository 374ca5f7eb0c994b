//! A file that others lock, or record into as well.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceEvent, PersistenceOptions,
    StorageErrorKind,
};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use aimdb_persistence_tests::waiting::eventually;

use crate::aimdb;

async fn database(backend: SqliteBackend, events: &Events) -> aimdb::Db {
    let options = PersistenceOptions::new(Arc::new(backend), FOREVER).on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    Temperature::series("sf").register(&mut builder);
    aimdb::build(builder).await
}

#[tokio::test]
async fn while_another_program_holds_the_lock_rows_wait_and_are_stored_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let events = Events::new();
    let backend = SqliteBackend::builder(&path).busy_timeout(Duration::from_millis(20));
    let db = database(backend.open().unwrap(), &events).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(0)).await;
    db.flush_persistence().await.unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for at in 1..10_000 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
    }
    let is_failing =
        |event: &PersistenceEvent| matches!(event, PersistenceEvent::BackendFailing { .. });
    eventually("the backend has been tried in vain", || {
        events.count(is_failing) == 1
    })
    .await;
    let told = events.all();
    let told = told.iter().find(|event| is_failing(event)).unwrap();
    assert!(told.to_string().contains("another program"), "{told}");
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.stored, total.pending), (1, 9_999), "{total:?}");
    let newest = Temperature::query_latest(&db, 1).await.unwrap();
    assert_eq!(newest, [Temperature::at(0)], "queries go on");

    other.execute_batch("COMMIT").unwrap();
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!(total.stored, 10_000, "{total:?}");
    let all = Temperature::query_range(&db, 0, u64::MAX, None).await;
    assert_eq!(all.unwrap().len(), 10_000);
}

#[tokio::test]
async fn a_file_that_stays_locked_is_an_error_at_open_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let builder = SqliteBackend::builder(&path).busy_timeout(Duration::from_millis(50));
    let error = builder.clone().open().unwrap_err();
    assert_eq!(
        error.storage_kind(),
        Some(StorageErrorKind::Busy),
        "{error}"
    );
    assert!(error.to_string().contains("history.db"), "{error}");
    other.execute_batch("COMMIT").unwrap();
    builder.open().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_record_one_series_into_one_file_through_backends_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let events = Events::new();
    let mut recording = Vec::new();
    for first in [0, 1] {
        let db = database(SqliteBackend::new(&path).unwrap(), &events).await;
        recording.push(tokio::spawn(async move {
            for at in (first..20_000).step_by(2) {
                aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
                if at % 1_000 < 2 {
                    db.flush_persistence().await.unwrap();
                }
            }
            db.flush_persistence().await.unwrap();
            let total = db.persistence_stats().unwrap().total;
            assert_eq!((total.produced, total.stored), (10_000, 10_000));
            db
        }));
    }
    for db in recording {
        let db = db.await.unwrap();
        // The other one may be at work still.
        let series = Temperature::series("sf");
        let all = || async { series.query_range(&db, 0, u64::MAX, None).await.unwrap() };
        let mut times: Vec<u64> = all().await.iter().map(|t| t.at).collect();
        while times.len() < 20_000 {
            tokio::task::yield_now().await;
            times = all().await.iter().map(|t| t.at).collect();
        }
        assert!(times.into_iter().eq((0..20_000).rev()));
    }
}
