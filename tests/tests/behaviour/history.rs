//! The query builder on a running database.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, BoxFuture, Field, Fields, MemoryBackend, Order, Persist,
    Persisted, PersistenceBackend, PersistenceError, PersistenceEvent, PersistenceOptions,
    QueryParams, ReadRequest, RowVisitor, ScanRest, Scanned, StoredValue,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use futures_lite::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::queries::{on_all, two_stations};
use crate::aimdb;

fn times<T>(rows: &[Persisted<T>]) -> Vec<(&str, u64)> {
    rows.iter()
        .map(|row| (&*row.record, row.stored_at))
        .collect()
}

#[tokio::test]
async fn a_history_is_asked_step_by_step() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let sf = Temperature::series("sf").history(&db);
        assert_eq!(
            sf.clone().between(3, 5).values().await.unwrap(),
            [5, 4, 3].map(Temperature::at)
        );
        assert_eq!(
            sf.clone().oldest(2).values().await.unwrap(),
            [0, 1].map(Temperature::at)
        );
        let reversed = sf.clone().latest(2).order(Order::OldestFirst);
        assert_eq!(
            reversed.values().await.unwrap(),
            [8, 9].map(Temperature::at)
        );
        assert_eq!(sf.clone().count().await.unwrap(), 10);
        assert!(!sf.clone().since(10).exists().await.unwrap());
        assert_eq!(
            sf.clone().first().await.unwrap().unwrap().value,
            Temperature::at(0)
        );

        let all = Temperature::history(&db);
        let rows = all.clone().as_of(7).rows().await.unwrap();
        assert_eq!(
            times(&rows),
            [("temperature.oak", 7), ("temperature.sf", 7)]
        );
        assert_eq!(rows[0].value, Temperature::at(7));
        assert_eq!(all.clone().limit(3).rows().await.unwrap().len(), 3);
        assert_eq!(all.newest().await.unwrap().unwrap().stored_at, 9);
    })
    .await;
}

#[tokio::test]
async fn the_last_day_ends_now() {
    on_all(async |backend| {
        let day_ms = 86_400_000;
        let now = std::time::SystemTime::now();
        let now_ms = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis() as u64;
        let times = [
            now_ms - 2 * day_ms,
            now_ms - day_ms / 2,
            now_ms,
            now_ms + day_ms,
        ];
        for at in times {
            backend.store("t", &json!(at), at).await.unwrap();
        }
        let db = aimdb::build(aimdb::builder().with_persistence(backend, FOREVER)).await;
        let of_text = db.history("t").last("24h").values().await.unwrap();
        assert_eq!(of_text, [json!(times[2]), json!(times[1])]);
        let of_duration = db.history("t").last(Duration::from_secs(86_400));
        assert_eq!(of_duration.values().await.unwrap(), of_text);
        assert_eq!(db.history("t").since(now).count().await.unwrap(), 2);
    })
    .await;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "room.{number}", retention = "forever")]
#[serde(rename_all = "camelCase")]
struct Room {
    #[serde(rename = "degrees")]
    celsius: f64,
    people_inside: u32,
    occupied: bool,
    mode: Mode,
    note: Option<String>,
    window: Option<Window>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Heating,
    Cooling,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Fields)]
struct Window {
    facing: String,
    open: bool,
}

#[tokio::test]
async fn a_filter_on_fields_finds_them_by_their_stored_names() {
    on_all(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Room::series(1).register(&mut builder);
        let db = aimdb::build(builder).await;
        let cold = Room {
            celsius: 15.5,
            people_inside: 0,
            occupied: false,
            mode: Mode::Heating,
            note: None,
            window: Some(Window {
                facing: "north".to_owned(),
                open: true,
            }),
        };
        let warm = Room {
            celsius: 24.0,
            people_inside: 3,
            occupied: true,
            mode: Mode::Cooling,
            note: Some("a party".to_owned()),
            window: None,
        };
        for room in [&cold, &warm] {
            aimdb::produce(&db, "room.1", room.clone()).await;
        }
        db.flush_persistence().await.unwrap();

        let fields = Room::fields();
        let window = fields.window.some();
        for (filter, expected) in [
            (fields.celsius.lt(20.0), &cold),
            (fields.people_inside.within(1..), &warm),
            (fields.occupied.is_true(), &warm),
            (fields.mode.eq(Mode::Heating), &cold),
            (fields.mode.is_in([Mode::Cooling]), &warm),
            (fields.note.is_none(), &cold),
            (fields.note.eq("a party"), &warm),
            (fields.note.contains("part"), &warm),
            (fields.window.is_none(), &warm),
            (window.then(Window::fields().open).is_true(), &cold),
            (
                window.then(Window::fields().facing).starts_with("nor"),
                &cold,
            ),
            (!fields.celsius.gt(20.0) & fields.window.is_some(), &cold),
        ] {
            let found = Room::history(&db).filter(filter.clone()).values().await;
            assert_eq!(found.unwrap(), std::slice::from_ref(expected), "{filter:?}");
        }
        let by_hand = db
            .history("room.*")
            .filter(Field::<Value, f64>::at(&["degrees"]).gt(20.0));
        assert_eq!(by_hand.values().await.unwrap()[0]["peopleInside"], 3);
    })
    .await;
}

#[tokio::test]
async fn a_limit_counts_the_rows_that_the_filter_lets_through() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let cold = Temperature::history(&db).filter(Temperature::fields().celsius.lt(0.45));
        let rows = cold.clone().latest(2).rows().await.unwrap();
        assert_eq!(
            times(&rows),
            [
                ("temperature.oak", 4),
                ("temperature.oak", 3),
                ("temperature.sf", 4),
                ("temperature.sf", 3)
            ]
        );
        assert_eq!(cold.clone().latest(2).count().await.unwrap(), 4);
        assert_eq!(cold.limit(7).count().await.unwrap(), 7);
    })
    .await;
}

#[tokio::test]
async fn rows_that_do_not_decode_are_skipped_counted_and_told_of_once_per_answer() {
    on_every_backend(async |backend| {
        for (time, value) in [
            (1, json!({ "celsius": 1.0, "at": 1 })),
            (2, json!({ "fahrenheit": 2.0 })),
            (3, json!({ "celsius": 3.0, "at": 3 })),
            (4, json!(null)),
        ] {
            backend.store("temperature.sf", &value, time).await.unwrap();
        }
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        let told = || events.count(|event| matches!(event, PersistenceEvent::Undecodable { .. }));
        let undecodable = || db.persistence_stats().unwrap().undecodable;

        let history = Temperature::series("sf").history(&db);
        assert_eq!(
            times(&history.clone().rows().await.unwrap()),
            [("temperature.sf", 3), ("temperature.sf", 1)]
        );
        assert_eq!((undecodable(), told()), (2, 1));
        let streamed: Vec<_> = history
            .clone()
            .stream()
            .map(|row| row.unwrap().stored_at)
            .collect()
            .await;
        assert_eq!(streamed, [3, 1]);
        assert_eq!((undecodable(), told()), (4, 2));
        assert_eq!(
            history.clone().newest().await.unwrap().unwrap().stored_at,
            3
        );
        assert_eq!((undecodable(), told()), (5, 3));
        assert_eq!(
            history.clone().count().await.unwrap(),
            4,
            "a count decodes nothing"
        );

        let strict = history.clone().strict();
        for error in [
            strict.clone().rows().await.map(drop).unwrap_err(),
            strict.clone().newest().await.map(drop).unwrap_err(),
            strict.clone().stream().next().await.unwrap().unwrap_err(),
        ] {
            assert!(
                matches!(&error, PersistenceError::Undecodable { stored_at: 4, .. }),
                "{error}"
            );
        }
        assert_eq!(strict.first().await.unwrap().unwrap().stored_at, 1);
        let mut oldest_first = history.order(Order::OldestFirst).strict().stream();
        assert_eq!(oldest_first.next().await.unwrap().unwrap().stored_at, 1);
        let error = oldest_first.next().await.unwrap().unwrap_err();
        assert!(matches!(
            error,
            PersistenceError::Undecodable { stored_at: 2, .. }
        ));
        assert!(
            oldest_first.next().await.is_none(),
            "after an error the stream ends"
        );
    })
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_an_error_that_says_what_to_write() {
    let db = two_stations(Arc::new(MemoryBackend::new())).await;
    let of = || Temperature::series("sf").history(&db);
    let celsius = Temperature::fields().celsius;
    let whole = Field::<Temperature, Temperature>::whole();
    for (history, advice) in [
        (of().last("24 hours"), "write `24h`"),
        (of().last("24 hours").last("1h"), "write `24h`"),
        (
            of().filter(celsius.gt(f64::NAN)),
            "`celsius` cannot be compared with this: NaN has no JSON form",
        ),
        (
            of().filter(!(celsius.gt(1.0) | celsius.lt(f64::INFINITY))),
            "inf has no JSON form",
        ),
        (
            of().filter(whole.eq(Temperature::at(1))),
            "compare its fields",
        ),
    ] {
        for error in [
            history.clone().values().await.map(drop).unwrap_err(),
            history.clone().count().await.map(drop).unwrap_err(),
            history
                .clone()
                .stream()
                .next()
                .await
                .unwrap()
                .map(drop)
                .unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(
                matches!(error, PersistenceError::InvalidQuery { .. }),
                "{error:?}"
            );
            assert!(text.contains(advice), "{text}");
        }
    }
    let wrong_end = of()
        .latest(2)
        .order(Order::OldestFirst)
        .stream()
        .next()
        .await;
    let error = wrong_end.unwrap().unwrap_err();
    assert!(
        matches!(error, PersistenceError::InvalidQuery { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_malformed_pattern_is_an_error_unless_there_is_such_a_record() {
    on_every_backend(async |backend| {
        let db = two_stations(backend).await;
        for pattern in ["temperature..*", "temperature#"] {
            let answer = db.history(pattern).values().await;
            assert!(
                matches!(answer, Err(PersistenceError::InvalidPattern(_))),
                "{answer:?}"
            );
            let streamed = db.history(pattern).stream().next().await.unwrap();
            assert!(matches!(streamed, Err(PersistenceError::InvalidPattern(_))));
        }
        assert!(db.history("no.such").values().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn without_a_history_every_answer_is_that_it_is_not_configured() {
    let db = aimdb::build(aimdb::builder()).await;
    let is_not_configured = |error| assert!(matches!(error, PersistenceError::NotConfigured));
    is_not_configured(Temperature::history(&db).values().await.unwrap_err());
    is_not_configured(db.history("#").count().await.unwrap_err());
    is_not_configured(db.history("#").first().await.unwrap_err());
    let streamed = Temperature::series("sf").history(&db).stream().next().await;
    is_not_configured(streamed.unwrap().unwrap_err());
}

/// Answers no scan before it is dropped.
struct NeverEnds(MemoryBackend);

impl PersistenceBackend for NeverEnds {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a Value,
        timestamp: u64,
    ) -> BoxFuture<'a, Result<(), PersistenceError>> {
        self.0.store(record_name, value, timestamp)
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: QueryParams,
    ) -> BoxFuture<'a, Result<Vec<StoredValue>, PersistenceError>> {
        self.0.query(record_pattern, params)
    }

    fn cleanup(&self, older_than: u64) -> BoxFuture<'_, Result<u64, PersistenceError>> {
        self.0.cleanup(older_than)
    }

    fn scan(
        &self,
        _: ReadRequest,
        _: Option<ScanRest>,
        _: Box<dyn RowVisitor>,
    ) -> BoxFuture<'_, Result<Scanned, PersistenceError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn an_answer_that_takes_longer_than_its_time_limit_is_given_up() {
    let db = two_stations(Arc::new(NeverEnds(MemoryBackend::new()))).await;
    let history = Temperature::history(&db).time_limit(Duration::from_millis(20));
    for error in [
        history.clone().values().await.map(drop).unwrap_err(),
        history.clone().exists().await.map(drop).unwrap_err(),
        history.clone().changes().await.map(drop).unwrap_err(),
        history
            .clone()
            .aggregate(Temperature::fields().celsius)
            .combined()
            .await
            .map(drop)
            .unwrap_err(),
        history
            .clone()
            .downsample(Temperature::fields().celsius, 10)
            .await
            .map(drop)
            .unwrap_err(),
        history
            .clone()
            .stream()
            .next()
            .await
            .unwrap()
            .map(drop)
            .unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            matches!(error, PersistenceError::TimeLimit { limit_ms: 20 }),
            "{text}"
        );
        assert!(text.contains("20 ms"), "{text}");
    }
}

#[tokio::test]
async fn an_answer_may_be_awaited_anywhere_and_dropped_at_any_time() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let history = Temperature::history(&db);
        let counted = tokio::spawn(history.clone().count());
        let mut stream = history.clone().stream();
        let first = tokio::spawn(async move { stream.next().await.unwrap().unwrap() });
        assert_eq!(counted.await.unwrap().unwrap(), 20);
        assert_eq!(first.await.unwrap().stored_at, 9);
        for _ in 0..50 {
            let mut rows = Box::pin(history.clone().rows());
            let polled = futures_lite::future::poll_once(&mut rows).await;
            drop((polled, rows));
            let celsius = Temperature::fields().celsius;
            let sums = history.clone().aggregate(celsius);
            let mut buckets = Box::pin(sums.every("1s").per_series());
            drop((futures_lite::future::poll_once(&mut buckets).await, buckets));
            let mut points = Box::pin(history.clone().downsample(celsius, 3));
            drop((futures_lite::future::poll_once(&mut points).await, points));
            let mut runs = Box::pin(history.clone().changes());
            drop((futures_lite::future::poll_once(&mut runs).await, runs));
        }
        assert_eq!(history.rows().await.unwrap().len(), 20);
    })
    .await;
}

#[tokio::test]
async fn a_type_without_a_declaration_is_asked_for_by_pattern() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Celsius {
        celsius: f64,
    }
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let celsius = Field::<Celsius, f64>::at(&["celsius"]);
        let warm = db
            .history("temperature.sf")
            .decoded_as()
            .filter(celsius.ge(0.9));
        assert_eq!(warm.values().await.unwrap(), [Celsius { celsius: 0.9 }]);
    })
    .await;
}

#[tokio::test]
async fn expired_rows_of_a_backend_that_keeps_no_declarations_do_not_show() {
    let backend = Arc::new(aimdb_persistence_tests::backends::ThreeMethods::new());
    backend.plant("temperature.old", 1, json!({ "celsius": 1.0, "at": 1 }));
    backend.plant("room.1", 1, json!(1));
    let day = Duration::from_secs(86_400);
    let mut builder = aimdb::builder().with_persistence(backend, day);
    Temperature::series("old").register(&mut builder);
    let db = aimdb::build(builder).await;
    // The type is kept for ever, the rest for a day.
    assert_eq!(Temperature::history(&db).count().await.unwrap(), 1);
    assert_eq!(db.history("#").count().await.unwrap(), 1);
}
