//! Answers over time on types as users declare them.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, MemoryBackend, Persist, PersistenceBackend,
    PersistenceError, PersistenceEvent, PersistenceOptions,
};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aimdb;
use crate::behaviour::queries::{on_all, two_stations};

async fn stored(backend: &Arc<dyn PersistenceBackend>, key: &str, rows: &[(u64, Value)]) {
    for (at, value) in rows {
        backend.store(key, value, *at).await.unwrap();
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(
    key = "valve.{number}",
    retention = "forever",
    on_change,
    max_silence = "10ms"
)]
struct Valve {
    mode: Mode,
    #[persist(ignore)]
    rssi: i32,
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Mode {
    Closed,
    Open { by: String },
}

fn valve(by: Option<&str>, rssi: i32, at: u64) -> (u64, Value) {
    let mode = match by {
        Some(by) => Mode::Open { by: by.to_owned() },
        None => Mode::Closed,
    };
    (at, serde_json::to_value(Valve { mode, rssi, at }).unwrap())
}

#[tokio::test]
async fn values_that_differ_in_their_time_or_in_ignored_fields_alone_are_one_run() {
    on_all(async |backend| {
        let rows = [
            valve(None, -70, 100),
            valve(None, -71, 105),
            valve(Some("Ann"), -71, 110),
            valve(Some("Ann"), -60, 112),
            valve(Some("Bob"), -60, 115),
        ];
        stored(&backend, "valve.1", &rows).await;
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Valve::series(1).register(&mut builder);
        let db = aimdb::build(builder).await;
        for history in [
            Valve::history(&db).until(120_u64),
            Valve::series(1).history(&db).until(120_u64),
            Valve::history(&db).until(120_u64).latest(5),
        ] {
            let runs = history.changes().await.unwrap();
            let runs: Vec<_> = runs
                .iter()
                .map(|run| (run.start_ms, run.end_ms, run.rows, run.value.at))
                .collect();
            assert_eq!(
                runs,
                [(100, 110, 2, 100), (110, 115, 2, 110), (115, 120, 1, 115)]
            );
        }
        let as_json = db
            .history("valve.1")
            .until(120_u64)
            .changes()
            .await
            .unwrap();
        assert_eq!(as_json.len(), 3, "the declaration holds for JSON, too");
    })
    .await;
}

#[tokio::test]
async fn a_value_holds_for_twice_the_silence_that_is_declared_unless_the_question_says_otherwise() {
    on_all(async |backend| {
        stored(
            &backend,
            "valve.1",
            &[valve(None, 0, 100), valve(Some("Ann"), 0, 150)],
        )
        .await;
        let db = aimdb::build(aimdb::builder().with_persistence(backend, FOREVER)).await;
        let all = || Valve::series(1).history(&db).until(200_u64);
        let times = async |history: aimdb_persistence::History<Valve>| {
            let states = history.time_in_states(Valve::fields().mode).await.unwrap();
            states
                .into_iter()
                .map(|s| (s.state, s.total_ms, s.known_ms))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            times(all()).await,
            [(json!("Closed"), 20, 40), (json!("Open"), 20, 40)]
        );
        let held = all().holds(Duration::from_millis(30));
        assert_eq!(
            times(held).await,
            [(json!("Closed"), 30, 60), (json!("Open"), 30, 60)]
        );
        let held = all().holds("1h");
        assert_eq!(
            times(held).await,
            [(json!("Closed"), 50, 100), (json!("Open"), 50, 100)]
        );
        let runs = all().changes().await.unwrap();
        let runs: Vec<_> = runs.iter().map(|run| (run.start_ms, run.end_ms)).collect();
        assert_eq!(
            runs,
            [(100, 120), (150, 170)],
            "between two runs nothing is known"
        );
    })
    .await;
}

#[tokio::test]
async fn rows_that_do_not_decode_are_in_no_sum_and_an_error_where_it_is_to_be_strict() {
    on_all(async |backend| {
        let rows = [
            (1, json!({ "celsius": 1.0, "at": 1 })),
            (2, json!({ "celsius": 1000.0 })),
            (3, json!({ "celsius": 3.0, "at": 3 })),
        ];
        stored(&backend, "temperature.sf", &rows).await;
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        let told = || events.count(|event| matches!(event, PersistenceEvent::Undecodable { .. }));
        let undecodable = || db.persistence_stats().unwrap().undecodable;
        let celsius = Temperature::fields().celsius;
        let history = Temperature::series("sf").history(&db);

        let sum = history.clone().aggregate(celsius).combined().await.unwrap();
        assert_eq!((sum.count(), sum.sum(), sum.max()), (2, 4.0, Some(3.0)));
        assert_eq!(sum.step_mean(), Some(1.0), "it ends what held");
        assert_eq!(sum.known_ms(), 1);
        assert_eq!((undecodable(), told()), (1, 1));
        let buckets = history
            .clone()
            .aggregate(celsius)
            .every(Duration::from_millis(1));
        assert_eq!(buckets.per_series().await.unwrap().len(), 2);
        let points = history.clone().downsample(celsius, 10).await.unwrap();
        assert_eq!(
            points.iter().map(|point| point.value).collect::<Vec<_>>(),
            [1.0, 3.0]
        );
        let states = history.clone().time_in_states(celsius).await.unwrap();
        assert_eq!(states.len(), 2);
        let runs = history.clone().changes().await.unwrap();
        assert_eq!(
            runs.iter()
                .map(|run| (run.start_ms, run.end_ms))
                .collect::<Vec<_>>(),
            [(1, 2), (3, 3)]
        );
        assert_eq!((undecodable(), told()), (5, 5), "once for each answer");
        let before = history
            .clone()
            .between(3_u64, 3_u64)
            .aggregate(celsius)
            .in_force();
        assert_eq!(
            before.combined().await.unwrap().max(),
            Some(3.0),
            "it is not in force"
        );
        assert_eq!(undecodable(), 5, "it is no row of the range");

        let strict = history.strict();
        let sums = strict.clone().aggregate(celsius);
        for error in [
            sums.combined().await.map(drop).unwrap_err(),
            strict
                .clone()
                .downsample(celsius, 10)
                .await
                .map(drop)
                .unwrap_err(),
            strict
                .clone()
                .time_in_states(celsius)
                .await
                .map(drop)
                .unwrap_err(),
            strict.clone().changes().await.map(drop).unwrap_err(),
        ] {
            assert!(
                matches!(error, PersistenceError::Undecodable { stored_at: 2, .. }),
                "{error}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn an_odd_question_for_percentiles_or_steps_says_what_to_write() {
    let db = two_stations(Arc::new(MemoryBackend::new())).await;
    let celsius = Temperature::fields().celsius;
    let of = || Temperature::series("sf").history(&db);
    let sums = || of().aggregate(celsius);
    for (error, advice) in [
        (
            sums().percentiles(&[0.95]).combined().await.map(drop),
            "write 95",
        ),
        (
            sums()
                .percentiles(&[50.0, 101.0])
                .combined()
                .await
                .map(drop),
            "between 0 and 100",
        ),
        (
            sums().percentiles(&[f64::NAN]).combined().await.map(drop),
            "between 0 and 100",
        ),
        (
            sums().every("1M").per_series().await.map(drop),
            "every_calendar(Calendar::Month",
        ),
        (
            sums().every("1y").per_series().await.map(drop),
            "every_calendar(Calendar::Year",
        ),
        (
            sums().every("2 months").per_series().await.map(drop),
            "every_calendar(Calendar::Month",
        ),
        (
            sums()
                .every("1d")
                .utc_offset_minutes(2_000)
                .per_series()
                .await
                .map(drop),
            "no clock",
        ),
        (
            of().latest(2).oldest(1).values().await.map(drop),
            "leave all but one out",
        ),
        (
            of().as_of(5_u64).latest(3).values().await.map(drop),
            "leave all but one out",
        ),
        (
            of().order(aimdb_persistence::question::Order::NewestFirst)
                .order(aimdb_persistence::question::Order::OldestFirst)
                .count()
                .await
                .map(drop),
            "one order",
        ),
        (of().holds("10 minutes").count().await.map(drop), "10m"),
        (
            sums().combined().await.unwrap().percentile(95.0).map(drop),
            "was not asked for",
        ),
        (
            sums().combined().await.unwrap().rate("an hour").map(drop),
            "not a length of time",
        ),
    ] {
        let error = error.expect_err(advice);
        assert!(
            matches!(error, PersistenceError::InvalidQuery { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(advice), "{error}");
    }
    let streamed = futures_lite::StreamExt::next(&mut of().by_time().stream()).await;
    assert!(
        streamed
            .unwrap()
            .unwrap_err()
            .to_string()
            .contains("`by_time`")
    );
}

#[tokio::test]
async fn of_several_bounds_and_limits_the_narrowest_counts() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let sf = || Temperature::series("sf").history(&db);
        let narrow = sf()
            .between(2_u64, 8_u64)
            .since(1_u64)
            .since(4_u64)
            .until(9_u64);
        assert_eq!(narrow.count().await.unwrap(), 5);
        assert_eq!(sf().limit(3).limit(7).rows().await.unwrap().len(), 3);
        let newest = Temperature::history(&db)
            .by_time()
            .limit(3)
            .rows()
            .await
            .unwrap();
        let newest: Vec<_> = newest
            .iter()
            .map(|row| (row.stored_at, &*row.record_name))
            .collect();
        assert_eq!(
            newest,
            [
                (9, "temperature.oak"),
                (9, "temperature.sf"),
                (8, "temperature.oak")
            ]
        );
    })
    .await;
}
