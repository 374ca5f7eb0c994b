//! Clocks that are wrong: what they have stamped is kept, and harms nothing else.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Keep, Persist, PersistenceBackend, PersistenceEvent,
    PersistenceOptions, Policy,
};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::Temperature;
use aimdb_persistence_tests::waiting::eventually;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb;

const DAY_MS: u64 = 86_400_000;
const YEAR_MS: u64 = 365 * DAY_MS;
const WEEK: Duration = Duration::from_millis(7 * DAY_MS);

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// With a retention, so that sweeps look at its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "level.{tank}", retention = "7d")]
struct Level {
    metres: f64,
    #[persist(timestamp)]
    at: u64,
}

#[tokio::test]
async fn in_a_file_whose_newest_row_lies_ahead_of_the_clock_recording_and_queries_go_on() {
    on_every_backend(async |backend| {
        let (now, ahead) = (now_ms(), now_ms() + YEAR_MS);
        let old = json!({ "metres": 1.0, "at": ahead });
        backend.store("level.a", &old, ahead).await.unwrap();
        // The last stored value is the newest by its time; one of now is later by the order of arrival.
        let policy = Policy::new().min_interval_ms(1_000, Keep::First);
        let series = Level::series("a").with_policy(policy);
        let mut builder = aimdb::builder().with_persistence(backend.clone(), WEEK);
        series.register(&mut builder);
        let db = aimdb::build(builder).await;
        for n in 0..10 {
            let at = now + n * 1_000;
            aimdb::produce(&db, "level.a", Level { metres: 2.0, at }).await;
        }
        db.flush_persistence().await.unwrap();
        let total = db.persistence_stats().unwrap().total;
        assert_eq!((total.produced, total.stored), (10, 10), "{total:?}");
        let of_now = series.query_range(&db, now - 1, now + DAY_MS, None).await;
        assert_eq!(of_now.unwrap().len(), 10);
        let newest = series.query_latest(&db, 1).await.unwrap();
        assert_eq!(newest[0].at, ahead);
        let in_force = series
            .history(&db)
            .as_of(now + DAY_MS)
            .values()
            .await
            .unwrap();
        assert_eq!(in_force[0].at, now + 9_000);
    })
    .await;
}

#[tokio::test]
async fn event_times_of_1970_and_of_the_far_future_are_stored_as_they_are() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, Duration::MAX);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        let times = [0, 1, now_ms() + YEAR_MS, i64::MAX as u64];
        for at in times {
            aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        }
        db.flush_persistence().await.unwrap();
        let found = Temperature::query_range(&db, 0, u64::MAX, None).await;
        let found: Vec<u64> = found.unwrap().iter().map(|t| t.at).collect();
        assert!(found.into_iter().eq(times.into_iter().rev()));
    })
    .await;
}

/// A clock that leaps by four weeks while the device is off looks like this file: all that is in it is four weeks old.
#[tokio::test]
async fn a_start_with_a_clock_that_is_four_weeks_ahead_puts_the_sweep_off_says_so_and_removes_nothing()
 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let last_run = SystemTime::now() - Duration::from_millis(29 * DAY_MS);
    let backend = SqliteBackend::new(&path).unwrap();
    for hours in 0..10 {
        let at = now_ms() - 29 * DAY_MS - hours * 3_600_000;
        let value = json!({ "metres": 1.0, "at": at });
        backend.store("level.a", &value, at).await.unwrap();
    }
    backend.close().await.unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(last_run).unwrap();
    drop(file);

    // Also at the next start, a moment later: by then the file has rows of the new time.
    for start in 1..=2 {
        let backend = SqliteBackend::new(&path).unwrap();
        let events = Events::new();
        let options =
            PersistenceOptions::new(Arc::new(backend.clone()), WEEK).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Level::series("a").register(&mut builder);
        let db = aimdb::build(builder).await;
        let at = now_ms();
        aimdb::produce(&db, "level.a", Level { metres: 2.0, at }).await;
        eventually("the sweep is put off", || {
            events.count(|event| matches!(event, PersistenceEvent::SweepPutOff { .. })) == 1
        })
        .await;
        db.flush_persistence().await.unwrap();
        let rows = Level::query_latest(&db, 100).await.unwrap();
        assert_eq!(rows.len(), 10 + start);
        db.close_persistence(Duration::from_secs(30)).await.unwrap();
        backend.close().await.unwrap();
    }
}
