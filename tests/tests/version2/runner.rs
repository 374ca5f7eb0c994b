//! The runner drives the recorder: without it nothing is recorded, and nobody waits in vain.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, PersistenceError};
use aimdb_persistence_tests::records::{FOREVER, Temperature};

use crate::aimdb;

async fn built() -> (
    aimdb::Db,
    aimdb_core_2::builder::AimDbRunner,
    Arc<MemoryBackend>,
) {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    Temperature::series("sf").register(&mut builder);
    let (db, runner) = builder.build().await.expect("the database builds");
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    (db, runner, backend)
}

#[tokio::test]
async fn a_flush_of_a_database_whose_runner_never_runs_says_so() {
    let (db, _runner, _backend) = built().await;
    let error = db.flush_persistence().await.unwrap_err();
    assert!(
        matches!(error, PersistenceError::NotRunning { pending: 1 }),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_was_produced_is_stored_when_a_runner_is_dropped_that_never_ran() {
    let (db, runner, backend) = built().await;
    drop(runner);
    assert_eq!(backend.len(), 1);
    db.flush_persistence().await.unwrap();
    aimdb::produce(&db, "temperature.sf", Temperature::at(2)).await;
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.stored, total.dropped, total.pending), (1, 1, 0));
}

#[tokio::test]
async fn what_was_produced_before_the_runner_runs_is_recorded_once_it_does() {
    let (db, runner, backend) = built().await;
    let running = tokio::spawn(runner.run());
    db.flush_persistence().await.unwrap();
    assert_eq!(backend.len(), 1);
    drop(db);
    running.await.expect("the runner ends with its database");
}

#[tokio::test]
async fn a_close_without_a_running_runner_reports_what_is_pending() {
    let (db, _runner, _backend) = built().await;
    let report = db
        .close_persistence(Duration::from_millis(50))
        .await
        .unwrap();
    assert!(!report.complete);
    assert!(report.error.is_some());
}
