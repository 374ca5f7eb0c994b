//! A file that is kept within a size.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceBackend, PersistenceEvent,
    PersistenceOptions,
};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};

use crate::aimdb;

#[tokio::test]
async fn evicted_rows_are_told_of_once_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let events = Events::new();
    let backend = SqliteBackend::builder(&path).max_bytes(1 << 20).open();
    let backend = Arc::new(backend.unwrap());
    let options = PersistenceOptions::new(backend.clone(), FOREVER).on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..50_000 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        if at % 10_000 == 9_999 {
            db.flush_persistence().await.unwrap();
        }
    }
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.stored), (50_000, 50_000));
    let is_told = |event: &PersistenceEvent| matches!(event, PersistenceEvent::Evicted { .. });
    db.flush_persistence().await.unwrap();
    assert_eq!(events.count(is_told), 1);
    let newest = Temperature::query_latest(&db, 1).await.unwrap();
    assert_eq!(newest, [Temperature::at(49_999)]);

    backend.close().await.unwrap();
    let left = SqliteBackend::builder(&path).read_only().open().unwrap();
    let left = left.query("#", Default::default()).await.unwrap();
    let stats = db.persistence_stats().unwrap();
    assert_eq!(left.len() as u64 + stats.backend.evicted, 50_000);
}
