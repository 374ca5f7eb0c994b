//! Backends that are slow, fail, panic or hang: what is lost is counted, and nothing waits for ever.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, BufferKind, LossKind, PersistenceError,
    PersistenceEvent, PersistenceOptions, QueryParams, StorageError, StorageErrorKind,
};
use aimdb_persistence_tests::backends::{Call, Gate, Interposed};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use aimdb_persistence_tests::waiting::eventually;
use serde_json::Value;

use crate::aimdb;

/// A database with one record, `temperature.sf`, on this backend.
async fn database(
    backend: &Arc<Interposed>,
    buffer: BufferKind,
    options: impl FnOnce(PersistenceOptions) -> PersistenceOptions,
) -> aimdb::Db {
    let plain = PersistenceOptions::new(backend.clone(), FOREVER);
    let mut builder = aimdb::builder().with_persistence_options(options(plain));
    Temperature::series("sf")
        .with_buffer(buffer)
        .register(&mut builder);
    aimdb::build(builder).await
}

async fn produce(db: &aimdb::Db, times: impl IntoIterator<Item = u64>) {
    for at in times {
        aimdb::produce(db, "temperature.sf", Temperature::at(at)).await;
    }
}

/// The times of the stored rows, oldest first.
fn stored(backend: &Interposed) -> Vec<u64> {
    let mut times: Vec<u64> = backend.rows().rows().iter().map(|r| r.stored_at).collect();
    times.reverse();
    times
}

fn is_failing(event: &PersistenceEvent) -> bool {
    matches!(event, PersistenceEvent::BackendFailing { .. })
}

fn is_recovered(event: &PersistenceEvent) -> bool {
    matches!(event, PersistenceEvent::BackendRecovered)
}

fn down() -> PersistenceError {
    PersistenceError::Backend("the server does not answer".to_owned())
}

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

#[tokio::test]
async fn a_slow_backend_does_not_make_the_ring_overwrite() {
    let gate = Gate::shut();
    let backend = Arc::new(Interposed::new({
        let gate = gate.clone();
        move |call| {
            let passed = gate.passed();
            async move {
                if matches!(call, Call::Store(_)) {
                    passed.await;
                }
                Ok(())
            }
        }
    }));
    let db = database(&backend, BufferKind::Ring(64), |options| options).await;
    for start in (0..10_000).step_by(50) {
        produce(&db, start..start + 50).await;
        tokio::task::yield_now().await;
    }
    let before = db.persistence_stats().unwrap().total;
    assert_eq!(
        (before.produced, before.lagged, before.stored),
        (10_000, 0, 0)
    );
    gate.open();
    db.flush_persistence().await.unwrap();
    assert_eq!(stored(&backend), Vec::from_iter(0..10_000));
}

#[tokio::test]
async fn a_full_backlog_drops_and_counts_the_rest_and_then_goes_on() {
    for (rows, bytes) in [(100, usize::MAX), (usize::MAX, 5_000)] {
        let gate = Gate::shut();
        let backend = Arc::new(Interposed::new({
            let gate = gate.clone();
            move |call| {
                let passed = gate.passed();
                async move {
                    if matches!(call, Call::Store(_)) {
                        passed.await;
                    }
                    Ok(())
                }
            }
        }));
        let events = Events::new();
        let db = database(&backend, BufferKind::Ring(65_536), |options| {
            options.backlog(rows, bytes).on_event(events.listener())
        })
        .await;
        produce(&db, 0..1_000).await;
        eventually("the backlog is full", || {
            let total = db.persistence_stats().unwrap().total;
            total.dropped > 0 && total.dropped + total.pending == 1_000 && total.pending <= 100
        })
        .await;
        gate.open();
        db.flush_persistence().await.unwrap();
        let total = db.persistence_stats().unwrap().total;
        assert_eq!(total.stored + total.dropped, 1_000);
        assert_eq!(stored(&backend), Vec::from_iter(0..total.stored));
        if rows == 100 {
            assert_eq!(total.dropped, 900);
        }
        assert_eq!(events.losses("temperature.sf", LossKind::Dropped), 1);

        produce(&db, 1_000..1_050).await;
        db.flush_persistence().await.unwrap();
        let after = db.persistence_stats().unwrap().total;
        assert_eq!(after.stored, total.stored + 50, "there is room again");
    }
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
async fn a_backend_that_panics_now_and_then_loses_nothing() {
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
    for at in 0..4 {
        // One by one: of a batch that panicked, the recorder cannot know what was stored.
        produce(&db, [at]).await;
        db.flush_persistence().await.unwrap();
    }
    assert_eq!(stored(&backend), Vec::from_iter(0..4));
    assert_eq!(db.persistence_stats().unwrap().total.lost(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_always_panics_fails_every_row_and_hangs_nothing() {
    let backend = Arc::new(Interposed::new(|call| async move {
        assert!(
            !matches!(call, Call::Store(_)),
            "a backend that panics, as this test wants it"
        );
        Ok(())
    }));
    let events = Events::new();
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options.on_event(events.listener())
    })
    .await;
    for batch in 0..3 {
        produce(&db, batch * 10..batch * 10 + 10).await;
        db.flush_persistence().await.unwrap();
    }
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.failed, total.pending), (30, 0));
    assert_eq!(
        (events.count(is_failing), events.count(is_recovered)),
        (1, 0)
    );
}

fn hanging_in(calls: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Arc<Interposed> {
    Arc::new(Interposed::new(move |call| {
        let hangs = calls(&call);
        async move {
            if hangs {
                pending::<()>().await;
            }
            Ok(())
        }
    }))
}

#[tokio::test]
async fn with_a_hanging_backend_flush_and_close_end_at_their_deadlines_with_what_is_pending() {
    let backend = hanging_in(|call| matches!(call, Call::Store(_)));
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options.flush_deadline(Duration::from_millis(50))
    })
    .await;
    produce(&db, 0..10).await;
    match db.flush_persistence().await {
        Err(PersistenceError::Timeout {
            pending,
            deadline_ms,
            ..
        }) => assert_eq!((pending, deadline_ms), (10, 50)),
        other => panic!("{other:?}"),
    }
    let report = db
        .close_persistence(Duration::from_millis(50))
        .await
        .unwrap();
    assert!(!report.complete);
    assert!(report.error.unwrap().contains("10 values"));
    assert_eq!(report.stats.total.pending, 10);
    let again = db
        .close_persistence(Duration::from_millis(50))
        .await
        .unwrap();
    assert!(!again.complete);
    eventually("what the backend never took is counted as failed", || {
        let total = db.persistence_stats().unwrap().total;
        (total.failed, total.pending) == (10, 0)
    })
    .await;
}

#[tokio::test]
async fn a_backend_that_hangs_anywhere_is_let_go_after_its_database() {
    let hanging: [fn(&Call) -> bool; 5] = [
        |call| matches!(call, Call::Initialize),
        |call| matches!(call, Call::Store(_)),
        |call| matches!(call, Call::Cleanup),
        |call| matches!(call, Call::Flush),
        |_| true,
    ];
    let mut backends = Vec::new();
    for hangs in hanging {
        let backend = hanging_in(hangs);
        let options = PersistenceOptions::new(backend.clone(), Duration::from_secs(3_600));
        let mut builder = aimdb::builder().with_persistence_options(options);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        produce(&db, 0..10).await;
        tokio::task::yield_now().await;
        drop(db);
        backends.push(backend);
    }
    for (index, backend) in backends.iter().enumerate() {
        eventually(&format!("backend {index} is let go"), || {
            Arc::strong_count(backend) == 1
        })
        .await;
    }
}

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
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options.flush_deadline(Duration::from_secs(5))
    })
    .await;
    produce(&db, 0..10).await;
    db.flush_persistence().await.unwrap();
    assert_eq!(stored(&backend), Vec::from_iter(0..10));
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

#[tokio::test]
async fn a_value_is_handed_to_the_backend_as_it_was_produced() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let backend = Arc::new(Interposed::new({
        let seen = Arc::clone(&seen);
        move |call| {
            if let Call::Store(value) = call {
                seen.lock().unwrap().push(value);
            }
            async { Ok(()) }
        }
    }));
    let db = database(&backend, BufferKind::Ring(4), |options| options).await;
    produce(&db, [1]).await;
    db.flush_persistence().await.unwrap();
    let expected: Vec<Value> = vec![serde_json::json!({ "celsius": 0.1, "at": 1 })];
    assert_eq!(*seen.lock().unwrap(), expected);
}
