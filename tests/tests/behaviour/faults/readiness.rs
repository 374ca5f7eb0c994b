//! Backends that are not ready at first, or never.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aimdb_persistence::{
    AimDbQueryExt, PersistenceError, QueryParams, declare::BufferKind, report::LossKind,
};
use aimdb_persistence_tests::backends::{Call, Interposed};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::waiting::eventually;

use super::{database, down, is_failing, is_recovered, produce, stored, until_taken};

#[tokio::test(start_paused = true)]
async fn a_backend_that_is_not_ready_at_first_is_initialized_again_and_loses_nothing() {
    let left = AtomicU32::new(20);
    let backend = Arc::new(Interposed::new(move |call| {
        let fails = call == Call::Initialize
            && left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok();
        async move { if fails { Err(down()) } else { Ok(()) } }
    }));
    let events = Events::new();
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options.on_event(events.listener())
    })
    .await;
    produce(&db, 0..10).await;
    let error = db
        .query_raw("temperature.sf", QueryParams::default())
        .await
        .unwrap_err();
    assert!(matches!(error, PersistenceError::Backend(_)), "{error}");
    db.flush_persistence().await.unwrap();
    assert_eq!(stored(&backend), Vec::from_iter(0..10));
    assert_eq!(
        (events.count(is_failing), events.count(is_recovered)),
        (1, 1)
    );
}

#[tokio::test]
async fn a_backend_that_never_becomes_ready_is_never_asked_for_anything_else() {
    let others = Arc::new(Mutex::new(Vec::new()));
    let backend = Arc::new(Interposed::new({
        let others = Arc::clone(&others);
        move |call| {
            let answer = match call {
                Call::Initialize => Err(down()),
                other => {
                    others.lock().unwrap().push(other);
                    Ok(())
                }
            };
            async move { answer }
        }
    }));
    let events = Events::new();
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options.on_event(events.listener())
    })
    .await;
    produce(&db, 0..10).await;
    until_taken().await;
    let report = db
        .close_persistence(Duration::from_millis(20))
        .await
        .unwrap();
    assert!(!report.complete);
    eventually("the rows are counted as failed", || {
        db.persistence_stats().unwrap().total.failed == 10
    })
    .await;
    drop(db);
    eventually("the backend is let go", || Arc::strong_count(&backend) == 1).await;
    assert_eq!(*others.lock().unwrap(), []);
    assert_eq!(events.losses("temperature.sf", LossKind::Failed), 1);
    assert_eq!(
        (events.count(is_failing), events.count(is_recovered)),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_panics_while_it_is_initialized_is_tried_again() {
    let calls = AtomicU32::new(0);
    let backend = Arc::new(Interposed::new(move |call| {
        let panics = call == Call::Initialize && calls.fetch_add(1, Ordering::Relaxed) < 2;
        async move {
            assert!(!panics, "a backend that panics, as this test wants it");
            Ok(())
        }
    }));
    let db = database(&backend, BufferKind::Ring(64), |options| options).await;
    produce(&db, 0..10).await;
    db.flush_persistence().await.unwrap();
    assert_eq!(stored(&backend), Vec::from_iter(0..10));
}
