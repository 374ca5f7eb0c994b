//! A file that is damaged or removed while a database records into it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use aimdb_persistence::backend::Rows;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceBackend, PersistenceEvent,
    PersistenceOptions, StorageErrorKind,
};
use aimdb_persistence_sqlite::{OnCorruption, SqliteBackend};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};

use crate::aimdb;

/// Twenty thousand rows of `temperature.sf`, and all pages from the sixteenth on damaged.
async fn damaged_history(path: &Path) {
    let backend = SqliteBackend::new(path).unwrap();
    let mut rows = Rows::new();
    for at in 0..20_000 {
        let json = serde_json::to_string(&Temperature::at(at)).unwrap();
        rows.push("temperature.sf", at, &json);
    }
    assert_eq!(backend.store_batch(Arc::new(rows)).await.settled, 20_000);
    backend.close().await.unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes[16 * 4_096..].fill(0xAA);
    fs::write(path, bytes).unwrap();
}

async fn database(backend: &Arc<SqliteBackend>, events: &Events) -> aimdb::Db {
    let options = PersistenceOptions::new(backend.clone(), FOREVER).on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    Temperature::series("sf").register(&mut builder);
    aimdb::build(builder).await
}

/// As many values as fill their pages, and so go where the damage is.
async fn produce(db: &aimdb::Db, from: u64) {
    for at in from..from + 1_000 {
        aimdb::produce(db, "temperature.sf", Temperature::at(at)).await;
    }
}

fn fresh_starts(events: &Events) -> usize {
    events.count(|event| matches!(event, PersistenceEvent::StartedAfresh { .. }))
}

#[tokio::test]
async fn rows_that_meet_damage_are_counted_and_the_next_flush_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    damaged_history(&path).await;
    let events = Events::new();
    let backend = Arc::new(SqliteBackend::new(&path).unwrap());
    let db = database(&backend, &events).await;
    produce(&db, 20_000).await;
    let error = db.flush_persistence().await.unwrap_err();
    assert_eq!(error.storage_kind(), Some(StorageErrorKind::Corrupt));
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.failed), (1_000, 1_000));
    let told = events.count(|event| event.to_string().contains("history.db"));
    assert!(told >= 1, "the file is named: {:?}", events.all());
    let error = Temperature::query_latest(&db, 1).await.unwrap_err();
    assert_eq!(error.storage_kind(), Some(StorageErrorKind::Corrupt));
    assert_eq!(fresh_starts(&events), 0);
}

#[tokio::test]
async fn with_quarantine_every_value_is_stored_in_a_new_file_and_the_old_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    damaged_history(&path).await;
    let events = Events::new();
    let builder = SqliteBackend::builder(&path).on_corruption(OnCorruption::Quarantine);
    let backend = Arc::new(builder.open().unwrap());
    let db = database(&backend, &events).await;
    produce(&db, 20_000).await;
    db.flush_persistence().await.unwrap();
    let stats = db.persistence_stats().unwrap();
    assert_eq!((stats.total.produced, stats.total.stored), (1_000, 1_000));
    let [start] = &stats.backend.fresh_starts[..] else {
        panic!("{:?}", stats.backend)
    };
    let aside = start.set_aside.as_ref().expect("the old file is kept");
    assert!(Path::new(aside).is_file());
    assert_eq!(fresh_starts(&events), 1);
    let all: Vec<Temperature> = Temperature::query_latest(&db, 10_000).await.unwrap();
    assert_eq!(
        all.len(),
        1_000,
        "the type's queries find the new file's rows"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_flush_tells_that_the_file_was_removed_and_recording_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let events = Events::new();
    let backend = Arc::new(SqliteBackend::new(&path).unwrap());
    let db = database(&backend, &events).await;
    produce(&db, 0).await;
    db.flush_persistence().await.unwrap();
    fs::remove_file(&path).unwrap();
    let error = db.flush_persistence().await.unwrap_err();
    assert!(error.to_string().contains("removed"), "{error}");
    db.flush_persistence().await.unwrap();
    assert_eq!(fresh_starts(&events), 1);
    produce(&db, 1_000).await;
    db.flush_persistence().await.unwrap();
    let all: Vec<Temperature> = Temperature::query_latest(&db, 10_000).await.unwrap();
    assert_eq!(all.len(), 1_000);
    assert_eq!(db.persistence_stats().unwrap().total.stored, 2_000);
}
