//! Expired rows go: at the start, at intervals, and each record's after its own time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, PersistenceBackend,
    PersistenceError, PersistenceEvent, PersistenceOptions, QueryParams, RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::backends::{Call, Interposed, ThreeMethods, on_every_backend};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::Reading;
use aimdb_persistence_tests::waiting::eventually;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600 * SECOND_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
const DAY: Duration = Duration::from_millis(DAY_MS);

fn ms_ago(age_ms: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis() as u64 - age_ms
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "brief.{id}", retention = "1h")]
struct Brief {
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "long.{id}", retention = "30d")]
struct Long {
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "eternal.{id}", retention = "forever")]
struct Eternal {
    #[persist(timestamp)]
    at: u64,
}

async fn plant(backend: &dyn PersistenceBackend, key: &str, age_ms: u64) {
    let at = ms_ago(age_ms);
    backend.store(key, &json!({ "at": at }), at).await.unwrap();
}

/// How old the record's rows are, in whole hours, oldest first.
async fn ages(backend: &dyn PersistenceBackend, key: &str) -> Vec<u64> {
    let rows = backend.query(key, QueryParams::default()).await.unwrap();
    let now = ms_ago(0);
    rows.iter()
        .rev()
        .map(|row| (now - row.stored_at) / HOUR_MS)
        .collect()
}

async fn remaining(backend: &dyn PersistenceBackend, expected: usize) {
    for _ in 0..60_000 {
        let rows = backend.query("#", QueryParams::default()).await.unwrap();
        if rows.len() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{expected} rows were to remain");
}

#[tokio::test]
async fn the_sweep_at_the_start_removes_each_record_s_rows_after_its_own_retention() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), DAY);
        Brief::series("a").register(&mut builder);
        Long::series("a").register(&mut builder);
        Eternal::series("a").register(&mut builder);
        for key in ["brief.a", "long.a", "eternal.a", "plain.a"] {
            for age_days in [0, 2, 20, 40, 10_000] {
                plant(&*backend, key, age_days * DAY_MS + HOUR_MS / 2).await;
            }
            plant(&*backend, key, 2 * HOUR_MS).await;
        }
        let _db = aimdb::build(builder).await;
        remaining(&*backend, 1 + 4 + 6 + 2).await;
        assert_eq!(ages(&*backend, "brief.a").await, [0]);
        assert_eq!(ages(&*backend, "long.a").await, [20 * 24, 2 * 24, 2, 0]);
        assert_eq!(ages(&*backend, "eternal.a").await.len(), 6);
        assert_eq!(ages(&*backend, "plain.a").await, [2, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_history_kept_for_ever_loses_nothing() {
    on_every_backend(async |backend| {
        plant(&*backend, "plain", 10_000 * DAY_MS).await;
        let mut builder = aimdb::builder().with_persistence(backend.clone(), Duration::MAX);
        Brief::series("a").register(&mut builder);
        plant(&*backend, "brief.a", DAY_MS).await;
        let _db = aimdb::build(builder).await;
        // Once the expired row is gone, the sweep has been.
        remaining(&*backend, 1).await;
        assert_eq!(ages(&*backend, "plain").await, [240_000]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_sweep_comes_again_every_day_on_the_clock_of_the_runtime() {
    let backend = Arc::new(MemoryBackend::new());
    plant(&*backend, "plain", 2 * DAY_MS).await;
    let week = Duration::from_millis(7 * DAY_MS);
    let _db = aimdb::build(aimdb::builder().with_persistence(backend.clone(), week)).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        plant(&*backend, "plain", 8 * DAY_MS).await;
        tokio::time::sleep(DAY / 2).await;
        assert_eq!(backend.len(), 2, "it is not time yet");
        tokio::time::sleep(DAY / 2).await;
        assert_eq!(backend.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_sweep_comes_sooner_where_the_shortest_retention_asks_for_it() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), DAY);
    Brief::series("a").register(&mut builder);
    let _db = aimdb::build(builder).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    plant(&*backend, "brief.a", 2 * HOUR_MS).await;
    tokio::time::sleep(Duration::from_millis(HOUR_MS / 2)).await;
    assert!(backend.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_fails_is_reported_and_comes_again() {
    let left = AtomicU32::new(2);
    let backend = Arc::new(Interposed::new(move |call| {
        let fails = call == Call::Cleanup
            && left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok();
        // The second time it panics.
        assert!(
            !fails || left.load(Ordering::Relaxed) > 0,
            "a backend that panics, as this test wants it"
        );
        async move {
            match fails {
                true => Err(PersistenceError::Backend("no cleaning today".to_owned())),
                false => Ok(()),
            }
        }
    }));
    let rows = backend.rows();
    plant(&rows, "plain", 2 * DAY_MS).await;
    let events = Events::new();
    let options = PersistenceOptions::new(backend, DAY).on_event(events.listener());
    let _db = aimdb::build(aimdb::builder().with_persistence_options(options)).await;
    tokio::time::sleep(DAY * 2).await;
    assert!(rows.is_empty());
    let failures = events.count(|event| matches!(event, PersistenceEvent::SweepFailed { .. }));
    assert_eq!(failures, 2);
}

#[tokio::test]
async fn a_backend_without_declarations_shows_rows_until_it_is_cleaned_at_the_longest_retention() {
    let backend = Arc::new(ThreeMethods::new());
    for key in ["brief.a", "long.a", "plain"] {
        for age in [0, 2 * HOUR_MS, 2 * DAY_MS, 40 * DAY_MS] {
            plant(&*backend, key, age).await;
        }
    }
    let mut builder = aimdb::builder().with_persistence(backend.clone(), DAY);
    Brief::series("a").register(&mut builder);
    Long::series("a").register(&mut builder);
    builder.configure::<Reading>("plain", |reg| {
        reg.buffer(BufferCfg::SingleLatest).persist("plain");
    });
    let db = aimdb::build(builder).await;
    eventually("what is older than thirty days is gone", || {
        backend.rows().len() == 9
    })
    .await;
    assert_eq!(Brief::query_latest(&db, 10).await.unwrap().len(), 3);
    assert_eq!(Long::query_latest(&db, 10).await.unwrap().len(), 3);
    for (key, visible) in [("brief.a", 3), ("long.a", 3), ("plain", 3)] {
        let by_key = db.query_raw(key, QueryParams::default()).await.unwrap();
        assert_eq!(by_key.len(), visible, "{key}");
    }
    let all = db.query_raw("*", QueryParams::default()).await.unwrap();
    assert_eq!(all.len(), 9);
}
