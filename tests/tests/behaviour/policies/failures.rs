//! A value that is not stored after all silences nothing that comes after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aimdb_persistence::{
    AimDbQueryExt, Keep, OnDuplicate, PersistenceError, PersistenceOptions, Policy, StorageError,
    StorageErrorKind, options::BacklogLimits, report::LossKind,
};
use aimdb_persistence_tests::backends::{Call, Gate, Interposed, on_every_backend};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::FOREVER;
use serde_json::json;

use super::{counts, database, database_with, flush, half_a_degree, on_change, produce, times};

fn refusal() -> PersistenceError {
    PersistenceError::Unstorable {
        record_name: "temperature.sf".to_owned(),
        reason: "as this test wants it".to_owned(),
    }
}

/// Refuses rows for good while `refuses` is set.
fn refusing(refuses: &Arc<AtomicBool>) -> Arc<Interposed> {
    let refuses = Arc::clone(refuses);
    Arc::new(Interposed::new(move |call| {
        let refused = matches!(call, Call::Store(_)) && refuses.load(Ordering::SeqCst);
        async move { if refused { Err(refusal()) } else { Ok(()) } }
    }))
}

#[tokio::test]
async fn a_value_that_is_refused_does_not_silence_the_next_one() {
    let refuses = Arc::new(AtomicBool::new(false));
    let backend = refusing(&refuses);
    let db = database(backend.clone(), half_a_degree()).await;
    produce(&db, [(0, 20.0)]).await;
    flush(&db).await;
    refuses.store(true, Ordering::SeqCst);
    produce(&db, [(1, 25.0)]).await;
    flush(&db).await;
    refuses.store(false, Ordering::SeqCst);
    // What is compared is what is stored: 20 degrees.
    produce(&db, [(2, 20.1), (3, 25.0), (4, 25.1)]).await;
    flush(&db).await;
    assert_eq!(times(&backend.rows()).await, [0, 3]);
    let counts = counts(&db);
    assert_eq!((counts.stored, counts.failed, counts.suppressed), (2, 1, 2));
}

#[tokio::test]
async fn a_value_left_out_for_its_time_silences_nothing() {
    on_every_backend(async |backend| {
        let policy = on_change().on_duplicate(OnDuplicate::Ignore);
        let db = database(backend.clone(), policy).await;
        for reading in [(1, 20.0), (1, 21.0), (2, 21.0)] {
            produce(&db, [reading]).await;
            flush(&db).await;
        }
        assert_eq!(times(&*backend).await, [1, 2]);
        assert_eq!((counts(&db).stored, counts(&db).suppressed), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn the_first_value_that_is_refused_leaves_the_series_without_one() {
    let refuses = Arc::new(AtomicBool::new(true));
    let backend = refusing(&refuses);
    let db = database(backend.clone(), on_change()).await;
    produce(&db, [(0, 1.0)]).await;
    flush(&db).await;
    refuses.store(false, Ordering::SeqCst);
    produce(&db, [(1, 1.0), (2, 1.0)]).await;
    flush(&db).await;
    assert_eq!(times(&backend.rows()).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn of_several_values_under_way_the_ones_that_are_stored_count() {
    // Every third row is refused, and the batch arrives while a gate holds it.
    let gate = Gate::shut();
    let passing = gate.clone();
    let backend = Arc::new(Interposed::new(move |call| {
        let gate = passing.clone();
        async move {
            match call {
                Call::Store(value) => {
                    gate.passed().await;
                    match value["at"].as_u64() {
                        Some(at) if at % 3 == 2 => Err(refusal()),
                        _ => Ok(()),
                    }
                }
                _ => Ok(()),
            }
        }
    }));
    let db = database(backend.clone(), half_a_degree()).await;
    produce(&db, (0..9).map(|at| (at, at as f64))).await;
    let flushed = async {
        gate.open();
        flush(&db).await;
    };
    flushed.await;
    assert_eq!(times(&backend.rows()).await, [0, 1, 3, 4, 6, 7]);
    // The last one stored is 7 degrees; 8 was refused.
    produce(&db, [(9, 7.4), (10, 8.0), (12, 7.6)]).await;
    flush(&db).await;
    assert_eq!(times(&backend.rows()).await, [0, 1, 3, 4, 6, 7, 10]);
    let counts = counts(&db);
    assert_eq!((counts.failed, counts.suppressed), (3, 2));
}

#[tokio::test]
async fn a_value_for_which_the_backlog_has_no_room_does_not_silence_the_next_one() {
    let gate = Gate::shut();
    let waits = |call: &Call| matches!(call, Call::Store(_));
    let backend = Arc::new(Interposed::waiting_at(&gate, waits));
    let events = Events::new();
    let options = PersistenceOptions::new(backend.clone(), FOREVER)
        .backlog(BacklogLimits {
            rows: 1,
            bytes: 1 << 20,
        })
        .on_event(events.listener());
    let db = database_with(options, on_change()).await;
    produce(&db, [(0, 1.0)]).await;
    // The backlog's only place is taken until the gate opens.
    while counts(&db).dropped == 0 {
        produce(&db, [(1, 2.0)]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(events.losses("temperature.sf", LossKind::Dropped), 1);
    gate.open();
    flush(&db).await;
    let dropped = counts(&db).dropped;
    produce(&db, [(2, 1.0), (3, 2.0)]).await;
    flush(&db).await;
    assert_eq!(times(&backend.rows()).await, [0, 3]);
    let counts = counts(&db);
    assert_eq!(
        counts.produced,
        counts.stored + counts.suppressed + dropped,
        "a value equal to the one stored is left out, and the one dropped was not stored"
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_delays_values_and_changes_no_verdict() {
    let left = AtomicU32::new(200);
    let backend = Arc::new(Interposed::new(move |call| {
        let fails = matches!(call, Call::Store(_))
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_ok();
        let answer = match fails {
            true => Err(StorageError::new(StorageErrorKind::Busy, "locked").into()),
            false => Ok(()),
        };
        async move { answer }
    }));
    let db = database(backend.clone(), half_a_degree()).await;
    produce(&db, [(0, 1.0), (1, 1.1), (2, 3.0), (3, 3.4), (4, 1.0)]).await;
    flush(&db).await;
    assert_eq!(times(&backend.rows()).await, [0, 2, 4]);
}

#[tokio::test]
async fn a_history_that_cannot_be_read_at_once_is_read_a_little_later() {
    let left = AtomicU32::new(3);
    let backend = Arc::new(Interposed::new(move |call| {
        let fails = call == Call::Query
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_ok();
        async move {
            match fails {
                true => Err(PersistenceError::Backend("not yet".to_owned())),
                false => Ok(()),
            }
        }
    }));
    use aimdb_persistence::PersistenceBackend as _;
    let stored = json!({ "celsius": 20.0, "at": 5 });
    let rows = backend.rows();
    rows.store("temperature.sf", &stored, 5).await.unwrap();
    let db = database(backend.clone(), half_a_degree()).await;
    produce(&db, [(6, 20.2), (7, 20.9)]).await;
    flush(&db).await;
    assert_eq!(times(&rows).await, [5, 7]);
}

#[tokio::test]
async fn a_history_that_is_never_read_costs_a_row_and_no_value() {
    let backend = Arc::new(Interposed::new(|call| async move {
        if call == Call::Query {
            std::future::pending::<()>().await;
        }
        Ok(())
    }));
    use aimdb_persistence::PersistenceBackend as _;
    let stored = json!({ "celsius": 20.0, "at": 5 });
    let rows = backend.rows();
    rows.store("temperature.sf", &stored, 5).await.unwrap();
    let db = database(backend.clone(), half_a_degree()).await;
    let begun = Instant::now();
    produce(&db, [(6, 20.2), (7, 20.3)]).await;
    flush(&db).await;
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "it is not waited for without end"
    );
    // The first value is stored as the first of a series is.
    assert_eq!(times(&rows).await, [5, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_waited_and_is_refused_silences_nothing() {
    let refuses = Arc::new(AtomicBool::new(true));
    let backend = refusing(&refuses);
    let policy = on_change().min_interval_ms(1_000, Keep::Last);
    let db = database(backend.clone(), policy).await;
    produce(&db, [(0, 1.0)]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    refuses.store(false, Ordering::SeqCst);
    produce(&db, [(10, 1.0)]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(times(&backend.rows()).await, [10]);
    assert_eq!((counts(&db).failed, counts(&db).stored), (1, 1));
}

#[tokio::test]
async fn a_policy_costs_a_backend_one_question_a_series() {
    let questions = Arc::new(AtomicU32::new(0));
    let asked = Arc::clone(&questions);
    let backend = Arc::new(Interposed::new(move |call| {
        if call == Call::Query {
            asked.fetch_add(1, Ordering::SeqCst);
        }
        async { Ok(()) }
    }));
    for (policy, expected) in [(half_a_degree(), 1), (Policy::new().keep_last(1), 0)] {
        questions.store(0, Ordering::SeqCst);
        let db = database(backend.clone(), policy).await;
        produce(&db, (0..100).map(|at| (at, at as f64))).await;
        // A backend of three methods cannot keep rows: nothing is recorded then.
        let _ = db.flush_persistence().await;
        assert_eq!(questions.load(Ordering::SeqCst), expected);
    }
}
