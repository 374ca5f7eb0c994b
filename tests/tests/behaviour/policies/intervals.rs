//! The last value of an interval: it waits, and is stored when the interval is over, at the end, or where a caller waits for it.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{AimDbQueryExt, Ask, Keep, MemoryBackend, Policy};
use aimdb_persistence_tests::backends::{on_every_backend, sqlite};
use aimdb_persistence_tests::records::Temperature;
use aimdb_persistence_tests::waiting::eventually;

use super::{LONG, counts, database, flush, on_change, produce, reading, rows, times};

fn last_of_ten_seconds() -> Policy {
    Policy::new().min_interval_ms(10_000, Keep::Last)
}

/// Gives the recorder its turns, more than it needs to take what was produced; on this runtime nobody else has any.
async fn until_taken() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_last_value_of_each_interval_is_stored() {
    on_every_backend(async |backend| {
        let db = database(backend.clone(), last_of_ten_seconds()).await;
        let seconds = [0, 3, 9, 10, 12, 25, 34, 35, 36];
        produce(&db, seconds.map(|second| (second * 1_000, second as f64))).await;
        flush(&db).await;
        assert_eq!(times(&*backend).await, [9_000, 12_000, 25_000]);
        let before = counts(&db);
        assert_eq!(
            (before.stored, before.suppressed, before.pending),
            (3, 5, 1)
        );
        db.close_persistence(LONG).await.unwrap();
        assert_eq!(times(&*backend).await, [9_000, 12_000, 25_000, 36_000]);
        assert_eq!((counts(&db).stored, counts(&db).pending), (4, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_pending_until_its_interval_is_over_on_the_runtime_s_clock() {
    let backend = Arc::new(MemoryBackend::new());
    let db = database(backend.clone(), last_of_ten_seconds()).await;
    produce(&db, [(1, 1.0), (2, 2.0), (3, 3.0)]).await;
    until_taken().await;
    assert_eq!((counts(&db).pending, counts(&db).suppressed), (1, 2));
    tokio::time::sleep(Duration::from_millis(9_900)).await;
    assert_eq!(backend.len(), 0);
    assert_eq!(counts(&db).pending, 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(times(&*backend).await, [3]);
    assert_eq!(counts(&db).pending, 0);
    // The interval has had its row.
    produce(&db, [(4, 4.0)]).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!((backend.len(), counts(&db).suppressed), (1, 3));
    // The next one has a timer of its own, from its first value to its end.
    produce(&db, [(14_000, 5.0)]).await;
    tokio::time::sleep(Duration::from_millis(5_900)).await;
    assert_eq!(backend.len(), 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(times(&*backend).await, [3, 14_000]);
}

#[tokio::test(start_paused = true)]
async fn an_interval_that_its_values_have_ended_leaves_the_next_one_its_time() {
    let backend = Arc::new(MemoryBackend::new());
    let db = database(backend.clone(), last_of_ten_seconds()).await;
    produce(&db, [(0, 1.0)]).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    // By its own time it is in the next interval already.
    produce(&db, [(10_000, 2.0)]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(times(&*backend).await, [0]);
    // The first interval's time is over now, and its timer has rung.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(times(&*backend).await, [0]);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(times(&*backend).await, [0, 10_000]);
}

#[tokio::test]
async fn an_interval_has_one_row_however_often_there_is_a_flush_within_it() {
    const MINUTE_MS: u64 = 60_000;
    on_every_backend(async |backend| {
        let hourly = Policy::new().min_interval_ms(60 * MINUTE_MS, Keep::Last);
        let db = database(backend.clone(), hourly).await;
        for minutes in (0..120).step_by(2) {
            produce(&db, [(minutes * MINUTE_MS, 1.0)]).await;
            flush(&db).await;
        }
        assert_eq!(times(&*backend).await, [58 * MINUTE_MS]);
        assert_eq!(counts(&db).pending, 1, "the second hour is not over");
        drop(db);
    })
    .await;
}

#[tokio::test]
async fn an_interval_has_one_row_however_often_the_program_is_started_within_it() {
    on_every_backend(async |backend| {
        for run in 0..6 {
            let db = database(backend.clone(), last_of_ten_seconds()).await;
            produce(&db, [(run * 2_000, 1.0), (run * 2_000 + 1, 2.0)]).await;
            db.close_persistence(LONG).await.unwrap();
            assert_eq!(counts(&db).pending, 0);
        }
        // The first run's end has cut its interval short; the last one's is another.
        assert_eq!(times(&*backend).await, [1, 10_001]);
    })
    .await;
}

#[tokio::test]
async fn a_row_a_day_stays_one_a_day_over_changes_of_the_clock() {
    const HOUR_MS: u64 = 3_600_000;
    on_every_backend(async |backend| {
        for keep in [Keep::First, Keep::Last] {
            let daily = Policy::new().min_interval_ms(24 * HOUR_MS, keep);
            let db = database(backend.clone(), daily).await;
            // Each day at eight; the clock is set back by a second, then by an hour, and forth again.
            let wrong_by = [0, -1_000, -3_600_000, -3_600_000, 0];
            let days = (0..).zip(wrong_by);
            let eight = days.map(|(day, wrong)| (24 * day + 8, wrong));
            let readings =
                eight.map(|(hours, wrong)| (hours * HOUR_MS).checked_add_signed(wrong).unwrap());
            produce(&db, readings.map(|at| (at, 1.0))).await;
            db.close_persistence(LONG).await.unwrap();
            assert_eq!(counts(&db).stored, 5, "{keep:?}");
            db.history("#").delete().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_caller_stores_is_durable_when_it_is_told_so() {
    on_every_backend(async |backend| {
        let db = database(backend.clone(), last_of_ten_seconds()).await;
        let series = Temperature::series("sf").with_policy(last_of_ten_seconds());
        series.store(&db, &reading(1_000, 1.0)).await.unwrap();
        assert_eq!(times(&*backend).await, [1_000]);
        // The interval has its row, so this is left out, and nothing waits.
        series.store(&db, &reading(2_000, 2.0)).await.unwrap();
        let many = (10_000..40_000).step_by(500).map(|at| reading(at, 3.0));
        assert_eq!(series.store_all(&db, many).await.unwrap(), 3);
        assert_eq!(times(&*backend).await, [1_000, 19_500, 29_500, 39_500]);
        assert_eq!(counts(&db).pending, 0);
        assert_eq!(
            counts(&db).stored + counts(&db).suppressed,
            counts(&db).produced
        );
    })
    .await;
}

#[tokio::test]
async fn a_close_and_the_end_of_the_database_store_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let backend = sqlite(folder.path());
    let db = database(Arc::new(backend.clone()), last_of_ten_seconds()).await;
    produce(&db, [(1, 1.0)]).await;
    let report = db.close_persistence(LONG).await.unwrap();
    assert!(report.complete);
    assert_eq!(
        (report.stats.total.stored, report.stats.total.pending),
        (1, 0)
    );

    let memory = Arc::new(MemoryBackend::new());
    let db = database(memory.clone(), last_of_ten_seconds()).await;
    produce(&db, [(1, 1.0), (2, 2.0)]).await;
    drop(db);
    eventually("the last value is stored", || memory.len() == 1).await;
    assert_eq!(times(&*memory).await, [2]);
}

#[tokio::test]
async fn an_interval_at_whose_end_nothing_has_changed_stores_nothing() {
    on_every_backend(async |backend| {
        let policy = on_change().min_interval_ms(10, Keep::Last);
        let db = database(backend.clone(), policy).await;
        // Closed; opened and closed again within an interval; open at the end of one.
        let readings = [
            (0, 0.0),
            (20, 1.0),
            (25, 0.0),
            (40, 0.0),
            (50, 1.0),
            (70, 1.0),
        ];
        produce(&db, readings).await;
        db.close_persistence(LONG).await.unwrap();
        assert_eq!(rows(&*backend).await, [(0, 0.0), (50, 1.0)]);
        let counts = counts(&db);
        assert_eq!((counts.stored, counts.suppressed), (2, 4));
    })
    .await;
}

#[tokio::test]
async fn a_value_that_breaks_a_long_silence_is_stored_at_once() {
    on_every_backend(async |backend| {
        let policy = on_change()
            .min_interval_ms(10, Keep::Last)
            .max_silence_ms(100);
        let db = database(backend.clone(), policy).await;
        produce(
            &db,
            [
                (0, 0.0),
                (10, 0.0),
                (99, 0.0),
                (105, 0.0),
                (107, 1.0),
                (109, 2.0),
            ],
        )
        .await;
        db.close_persistence(LONG).await.unwrap();
        // Of the interval from 100 to 110 the one at 105 is the row: what follows in it is left out.
        assert_eq!(times(&*backend).await, [0, 105]);
    })
    .await;
}
