//! `aimdb-sync` on AimDB 2: the program sees neither the database nor its runner.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, Ask, PersistenceHandle};
use aimdb_persistence_tests::backends::sqlite;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use aimdb_sync_2::{AimDbBuilderSyncExt, AimDbHandle};
use futures_lite::future::block_on;
use tempfile::TempDir;

use crate::aimdb;

/// A database that has taken a hundred values, and its history.
fn with_a_hundred_values(folder: &TempDir) -> (AimDbHandle, PersistenceHandle) {
    let mut builder = aimdb::builder().with_persistence(Arc::new(sqlite(folder.path())), FOREVER);
    Temperature::series("sf").register(&mut builder);
    let history = builder.persistence();
    let database = builder.attach().expect("the database starts");
    let producer = database.producer("temperature.sf").expect("a producer");
    for at in 0..100 {
        producer
            .set(Temperature::at(at))
            .expect("the record exists");
    }
    (database, history)
}

#[test]
fn a_database_that_is_detached_has_stored_everything() {
    let folder = TempDir::new().unwrap();
    let (database, history) = with_a_hundred_values(&folder);
    database.detach().expect("it stops");
    assert_eq!(history.persistence_stats().unwrap().total.stored, 100);
    assert_eq!(block_on(history.history("#").count()).unwrap(), 100);
}

#[test]
fn a_history_that_is_closed_before_its_database_is_detached_has_stored_everything() {
    let folder = TempDir::new().unwrap();
    let (database, history) = with_a_hundred_values(&folder);
    let closed = block_on(history.close_persistence(Duration::from_secs(60))).unwrap();
    assert_eq!((closed.complete, closed.stats.total.stored), (true, 100));
    database.detach().expect("it stops");
    assert_eq!(block_on(history.history("#").count()).unwrap(), 100);
}
