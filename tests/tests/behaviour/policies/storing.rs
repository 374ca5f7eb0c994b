//! What is stored, what is left out, and how it is counted.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Deadband, Keep, MemoryBackend, OnDuplicate, Policy,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::{FOREVER, Temperature};

use super::{
    CELSIUS, counts, database, flush, half_a_degree, on_change, produce, reading, rows, times,
};
use crate::aimdb;

#[tokio::test]
async fn a_deadband_stores_what_has_moved_far_enough_from_the_last_stored_value() {
    on_every_backend(async |backend| {
        let db = database(backend.clone(), half_a_degree()).await;
        let degrees = [20.0, 20.2, 20.4, 20.5, 20.1, 20.0, 20.0, 19.4, 19.8];
        produce(&db, (0..).zip(degrees)).await;
        flush(&db).await;
        let stored = [(0, 20.0), (3, 20.5), (5, 20.0), (7, 19.4)];
        assert_eq!(rows(&*backend).await, stored);
        let counts = counts(&db);
        assert_eq!(
            (
                counts.produced,
                counts.stored,
                counts.suppressed,
                counts.pending
            ),
            (9, 4, 5, 0)
        );
    })
    .await;
}

#[tokio::test]
async fn a_change_is_stored_and_a_repetition_is_not_until_silence_has_been_long_enough() {
    on_every_backend(async |backend| {
        let policy = on_change().max_silence_ms(100);
        let db = database(backend.clone(), policy).await;
        let readings = [
            (0, 1.0),
            (50, 1.0),
            (99, 1.0),
            (100, 1.0),
            (150, 2.0),
            (240, 2.0),
            (251, 2.0),
            (252, 1.0),
        ];
        produce(&db, readings).await;
        flush(&db).await;
        assert_eq!(times(&*backend).await, [0, 100, 150, 251, 252]);
        assert_eq!(counts(&db).suppressed, 3);
    })
    .await;
}

#[tokio::test]
async fn the_first_value_of_an_interval_is_stored_and_the_others_are_not() {
    on_every_backend(async |backend| {
        let policy = Policy::new().min_interval_ms(10, Keep::First);
        let db = database(backend.clone(), policy).await;
        produce(&db, [0, 5, 9, 10, 19, 25, 26].map(|at| (at, at as f64))).await;
        flush(&db).await;
        assert_eq!(times(&*backend).await, [0, 10, 25]);
        assert_eq!(counts(&db).suppressed, 4);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_wrong_once_does_not_silence_what_comes_after() {
    on_every_backend(async |backend| {
        let policy = Policy::new().min_interval_ms(1_000, Keep::First);
        let db = database(backend.clone(), policy).await;
        let (now, far_ahead) = (1_700_000_000_000, 4_000_000_000_000);
        let times_of_arrival = [now, far_ahead, now + 500, now + 1_400, now + 1_600, now];
        produce(&db, times_of_arrival.map(|at| (at, 1.0))).await;
        flush(&db).await;
        // Half a second after the first, but far away from the one stored last. Then the clock is set back by an interval.
        let mut stored = [now, far_ahead, now + 500, now + 1_400, now];
        stored.sort_unstable();
        assert_eq!(times(&*backend).await, stored);
    })
    .await;
}

#[tokio::test]
async fn of_rows_with_one_time_the_declared_one_is_kept_and_those_left_out_are_counted() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        let ways = [
            ("keep", OnDuplicate::Keep),
            ("replace", OnDuplicate::Replace),
            ("ignore", OnDuplicate::Ignore),
        ];
        for (station, way) in ways {
            Temperature::series(station)
                .with_policy(Policy::new().on_duplicate(way))
                .register(&mut builder);
        }
        let db = aimdb::build(builder).await;
        for celsius in [1.0, 2.0, 3.0] {
            for (station, _) in ways {
                let key = format!("temperature.{station}");
                aimdb::produce(&db, &key, reading(7, celsius)).await;
                aimdb::produce(&db, &key, reading(8, celsius)).await;
            }
            // In one commit, and in one of their own.
            if celsius > 1.0 {
                flush(&db).await;
            }
        }
        for (station, expected) in [
            ("keep", &[3.0, 2.0, 1.0, 3.0, 2.0, 1.0][..]),
            ("replace", &[3.0, 3.0]),
            ("ignore", &[1.0, 1.0]),
        ] {
            let stored = Temperature::series(station).query_latest(&db, 100).await;
            let stored: Vec<f64> = stored.unwrap().iter().map(|row| row.celsius).collect();
            assert_eq!(stored, expected, "{station}");
        }
        let stats = db.persistence_stats().unwrap();
        let of = |key| {
            let counts = stats.record(key).expect("it is recorded").counts;
            (counts.produced, counts.stored, counts.suppressed)
        };
        assert_eq!(of("temperature.keep"), (6, 6, 0));
        assert_eq!(of("temperature.replace"), (6, 6, 0));
        assert_eq!(of("temperature.ignore"), (6, 2, 4));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_producers_produce_at_once_is_each_stored_or_counted_as_left_out() {
    on_every_backend(async |backend| {
        let policy = Policy::new().deadband(CELSIUS, Deadband::Absolute(10.0));
        let db = Arc::new(database(backend.clone(), policy).await);
        let tasks: Vec<_> = (0..8_u64)
            .map(|task| {
                let db = Arc::clone(&db);
                tokio::spawn(async move {
                    for step in 0..500_u64 {
                        let celsius = ((step * 7 + task * 13) % 64) as f64;
                        produce(&db, [(step, celsius)]).await;
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        flush(&db).await;
        let counts = counts(&db);
        assert_eq!(counts.produced, 8 * 500);
        assert_eq!(counts.stored + counts.suppressed, counts.produced);
        assert_eq!(times(&*backend).await.len() as u64, counts.stored);
        assert!(counts.suppressed > 0, "some were near to the one before");
    })
    .await;
}

#[tokio::test]
async fn a_record_without_a_policy_beside_one_with_it_stores_everything() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    Temperature::series("all").register(&mut builder);
    Temperature::series("few")
        .with_policy(on_change())
        .register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..50 {
        aimdb::produce(&db, "temperature.all", reading(at, 1.0)).await;
        aimdb::produce(&db, "temperature.few", reading(at, 1.0)).await;
    }
    flush(&db).await;
    assert_eq!(backend.len(), 51);
}
