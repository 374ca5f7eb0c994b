//! Times that are far from the clock, or finer than a row can tell: stored, counted and told.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceEvent, PersistenceOptions, Policy,
    Retention,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::Temperature;
use serde::{Deserialize, Serialize};

use super::{counts, database_with, flush, produce, times};
use crate::aimdb;

const DAY: Duration = Duration::from_secs(86_400);

fn listening(options: PersistenceOptions) -> (PersistenceOptions, Events) {
    let heard = Events::new();
    (options.on_event(heard.listener()), heard)
}

async fn kept_for_a_week(options: PersistenceOptions) -> aimdb::Db {
    let mut builder = aimdb::builder().with_persistence_options(options);
    let week = Retention::from(7 * DAY);
    Temperature::series("sf")
        .with_retention(week)
        .register(&mut builder);
    aimdb::build(builder).await
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as u64
}

#[tokio::test]
async fn a_value_beyond_its_retention_is_stored_counted_and_told_once_with_the_likely_mistake() {
    on_every_backend(async |backend| {
        let (options, heard) = listening(PersistenceOptions::new(backend.clone(), 7 * DAY));
        let db = kept_for_a_week(options).await;
        let now_ms = now_ms();
        let in_seconds = now_ms / 1_000;
        produce(
            &db,
            [(in_seconds, 1.0), (in_seconds + 1, 2.0), (now_ms, 3.0)],
        )
        .await;
        flush(&db).await;
        let counts = counts(&db);
        assert_eq!((counts.stored, counts.expired, counts.ahead), (3, 2, 0));
        assert_eq!(counts.produced, counts.stored);
        let expired = |event: &PersistenceEvent| match event {
            PersistenceEvent::Expired {
                stored_at, reason, ..
            } => Some((*stored_at, reason.clone())),
            _ => None,
        };
        let told: Vec<_> = heard.all().iter().filter_map(expired).collect();
        let [(stored_at, reason)] = &told[..] else {
            panic!("told once, not {told:?}")
        };
        assert_eq!(*stored_at, in_seconds);
        assert!(reason.contains("timestamp = \"s\""), "{reason}");
    })
    .await;
}

#[tokio::test]
async fn a_value_far_ahead_of_the_clock_is_stored_counted_and_told_once() {
    on_every_backend(async |backend| {
        let (options, heard) = listening(PersistenceOptions::new(backend.clone(), 7 * DAY));
        let db = database_with(options, Policy::new()).await;
        let in_microseconds = now_ms() * 1_000;
        produce(&db, [(in_microseconds, 1.0), (in_microseconds + 1, 2.0)]).await;
        flush(&db).await;
        let counts = counts(&db);
        assert_eq!((counts.stored, counts.expired, counts.ahead), (2, 0, 2));
        let ahead = |event: &PersistenceEvent| {
            matches!(event, PersistenceEvent::Ahead { stored_at, reason, .. }
            if *stored_at == in_microseconds && reason.contains("timestamp = \"us\""))
        };
        assert_eq!(heard.count(ahead), 1, "{:?}", heard.all());
    })
    .await;
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "fine", on_duplicate = "ignore")]
struct Fine {
    value: u32,
    #[persist(timestamp)]
    at: SystemTime,
}

#[tokio::test]
async fn times_within_one_millisecond_are_told_where_one_of_them_is_lost() {
    on_every_backend(async |backend| {
        let (options, heard) = listening(PersistenceOptions::new(backend.clone(), 7 * DAY));
        let mut builder = aimdb::builder().with_persistence_options(options);
        Fine::register(&mut builder);
        let db = aimdb::build(builder).await;
        let ms = SystemTime::now() - Duration::from_secs(10);
        let ms = ms
            - Duration::from_nanos(u64::from(
                ms.duration_since(UNIX_EPOCH).unwrap().subsec_nanos(),
            ));
        let micros = [0, 1_000, 1_000, 1_200, 2_000, 2_300];
        for (value, micros) in (0..).zip(micros) {
            let at = ms + Duration::from_micros(micros);
            aimdb::produce(&db, "fine", Fine { value, at }).await;
        }
        flush(&db).await;
        assert_eq!((counts(&db).stored, counts(&db).suppressed), (3, 3));
        let is_collision =
            |event: &PersistenceEvent| matches!(event, PersistenceEvent::TimesCollide { .. });
        assert_eq!(heard.count(is_collision), 1);
    })
    .await;
}

#[tokio::test]
async fn what_sweeps_remove_is_in_the_statistics() {
    on_every_backend(async |backend| {
        let old = now_ms() - 10 * DAY.as_millis() as u64;
        for at in 0..5 {
            let reading = serde_json::json!({ "celsius": 1.0, "at": old + at });
            backend
                .store("temperature.sf", &reading, old + at)
                .await
                .unwrap();
        }
        let (options, _) = listening(PersistenceOptions::new(backend.clone(), 7 * DAY));
        let db = kept_for_a_week(options).await;
        let swept = || db.persistence_stats().unwrap().swept;
        aimdb_persistence_tests::waiting::eventually("the first sweep has removed them", || {
            swept() == 5
        })
        .await;
        assert!(times(&*backend).await.is_empty());
    })
    .await;
}
