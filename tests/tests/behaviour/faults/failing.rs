//! Backends that fail or panic: what can be stored is, once, and the rest is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aimdb_persistence::{
    AimDbQueryExt, PersistenceError, StorageError, StorageErrorKind, declare::BufferKind,
    report::LossKind,
};
use aimdb_persistence_tests::backends::{Call, Interposed};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::waiting::eventually;

use super::{database, down, is_failing, is_recovered, produce, stored};

/// Fails this many of the `store` calls, then works.
fn failing(
    times: u32,
    error: impl Fn() -> PersistenceError + Send + Sync + 'static,
) -> Arc<Interposed> {
    let left = AtomicU32::new(times);
    Arc::new(Interposed::new(move |call| {
        let fails = matches!(call, Call::Store(_))
            && left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok();
        let answer = if fails { Err(error()) } else { Ok(()) };
        async move { answer }
    }))
}

#[tokio::test(start_paused = true)]
async fn a_row_that_always_fails_is_counted_once_and_the_rest_is_stored() {
    let backend = Arc::new(Interposed::new(|call| async move {
        match call {
            Call::Store(value) if value["at"] == 5 => Err(PersistenceError::Backend(
                "fives are not accepted".to_owned(),
            )),
            _ => Ok(()),
        }
    }));
    let events = Events::new();
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options.on_event(events.listener())
    })
    .await;
    produce(&db, 0..10).await;
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.stored, total.failed, total.pending), (9, 1, 0));
    assert_eq!(stored(&backend), [0, 1, 2, 3, 4, 6, 7, 8, 9]);
    assert_eq!(events.losses("temperature.sf", LossKind::Failed), 1);
    let reasons = events.count(|event| event.to_string().contains("fives are not accepted"));
    assert!(reasons >= 1, "the backend's own words are passed on");
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_recovers_has_lost_nothing() {
    let backend = failing(5, down);
    let events = Events::new();
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options.on_event(events.listener())
    })
    .await;
    produce(&db, 0..10).await;
    db.flush_persistence().await.unwrap();
    assert_eq!(stored(&backend), Vec::from_iter(0..10));
    assert_eq!(db.persistence_stats().unwrap().total.lost(), 0);
    assert_eq!(
        (events.count(is_failing), events.count(is_recovered)),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_busy_or_full_storage_is_tried_until_it_passes() {
    for kind in [StorageErrorKind::Busy, StorageErrorKind::DiskFull] {
        let backend = failing(1_000, move || {
            StorageError::new(kind, "as this test wants it").into()
        });
        let events = Events::new();
        let db = database(&backend, BufferKind::Ring(64), |options| {
            options.on_event(events.listener())
        })
        .await;
        produce(&db, 0..10).await;
        db.flush_persistence().await.unwrap();
        assert_eq!(stored(&backend), Vec::from_iter(0..10), "{kind:?}");
        assert_eq!(db.persistence_stats().unwrap().total.lost(), 0);
        assert_eq!(
            (events.count(is_failing), events.count(is_recovered)),
            (1, 1)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_is_busy_behind_a_poisoned_row_is_tried_until_it_passes() {
    let busy = AtomicU32::new(20);
    let backend = Arc::new(Interposed::new(move |call| {
        let answer = match call {
            Call::Store(value) if value["at"] == 0 => Err(down()),
            Call::Store(_) => {
                let left =
                    busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
                match left {
                    Ok(_) => Err(StorageError::new(StorageErrorKind::Busy, "locked").into()),
                    Err(_) => Ok(()),
                }
            }
            _ => Ok(()),
        };
        async move { answer }
    }));
    let db = database(&backend, BufferKind::Ring(64), |options| options).await;
    produce(&db, 0..5).await;
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.stored, total.failed), (4, 1));
    assert_eq!(stored(&backend), [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_no_retry_helps_fails_its_rows_at_once_and_later_rows_are_tried() {
    let backend = failing(1, || {
        StorageError::new(StorageErrorKind::Corrupt, "as this test wants it").into()
    });
    let db = database(&backend, BufferKind::Ring(64), |options| options).await;
    produce(&db, 0..10).await;
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.stored, total.failed), (0, 10));
    produce(&db, 10..20).await;
    db.flush_persistence().await.unwrap();
    assert_eq!(stored(&backend), Vec::from_iter(10..20));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_panics_now_and_then_loses_nothing_and_stores_nothing_twice() {
    let calls = AtomicU32::new(0);
    let backend = Arc::new(Interposed::new(move |call| {
        let panics =
            matches!(call, Call::Store(_)) && calls.fetch_add(1, Ordering::Relaxed) % 3 == 1;
        async move {
            assert!(!panics, "a backend that panics, as this test wants it");
            Ok(())
        }
    }));
    let db = database(&backend, BufferKind::Ring(64), |options| options).await;
    produce(&db, 0..10).await;
    db.flush_persistence().await.unwrap();
    assert_eq!(stored(&backend), Vec::from_iter(0..10));
    assert_eq!(db.persistence_stats().unwrap().total.lost(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_always_panics_leaves_its_rows_pending_until_recording_ends() {
    let backend = Arc::new(Interposed::new(|call| async move {
        assert!(
            !matches!(call, Call::Store(_)),
            "a backend that panics, as this test wants it"
        );
        Ok(())
    }));
    let events = Events::new();
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options
            .flush_deadline(Duration::from_millis(50))
            .on_event(events.listener())
    })
    .await;
    for batch in 0..3 {
        produce(&db, batch * 10..batch * 10 + 10).await;
        let flushed = db.flush_persistence().await;
        assert!(
            matches!(flushed, Err(PersistenceError::Timeout { .. })),
            "{flushed:?}"
        );
    }
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.failed, total.pending), (0, 30));
    db.close_persistence(Duration::ZERO).await.unwrap();
    eventually("what was never taken is counted as failed", || {
        let total = db.persistence_stats().unwrap().total;
        (total.failed, total.pending) == (30, 0)
    })
    .await;
    assert_eq!(
        (events.count(is_failing), events.count(is_recovered)),
        (1, 0)
    );
}

#[tokio::test]
async fn a_listener_that_panics_costs_its_own_news_only() {
    let backend = Arc::new(Interposed::new(|_| async { Ok(()) }));
    let db = database(&backend, BufferKind::Ring(4), |options| {
        options.on_event(|_| panic!("a listener that panics, as this test wants it"))
    })
    .await;
    produce(&db, 0..10).await;
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.stored, total.lagged), (4, 6));
}
