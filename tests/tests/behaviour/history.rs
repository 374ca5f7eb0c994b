//! The query builder on a running database.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, Field, MemoryBackend, Persist, Persisted,
    PersistenceError, PersistenceEvent, PersistenceOptions, question::Order,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use futures_lite::StreamExt;
use serde::Deserialize;
use serde_json::json;

use super::queries::{on_all, two_stations};
use crate::aimdb;

mod calendar;
mod filters;
mod numbers;
mod over_time;
mod patience;

fn times<T>(rows: &[Persisted<T>]) -> Vec<(&str, u64)> {
    rows.iter()
        .map(|row| (&*row.record_name, row.stored_at))
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
        assert_eq!(all.last().await.unwrap().unwrap().stored_at, 9);
    })
    .await;
}

#[tokio::test]
async fn the_past_day_ends_now() {
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
        let of_text = db.history("t").past("24h").values().await.unwrap();
        assert_eq!(of_text, [json!(times[2]), json!(times[1])]);
        let of_duration = db.history("t").past(Duration::from_secs(86_400));
        assert_eq!(of_duration.values().await.unwrap(), of_text);
        assert_eq!(db.history("t").since(now).count().await.unwrap(), 2);
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
        assert_eq!(history.clone().last().await.unwrap().unwrap().stored_at, 3);
        assert_eq!((undecodable(), told()), (5, 3));
        assert_eq!(
            history.clone().count().await.unwrap(),
            4,
            "a count decodes nothing"
        );

        let strict = history.clone().strict();
        for error in [
            strict.clone().rows().await.map(drop).unwrap_err(),
            strict.clone().last().await.map(drop).unwrap_err(),
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
        (of().past("24 hours"), "write `24h`"),
        (of().past("24 hours").past("1h"), "write `24h`"),
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
async fn rows_show_until_a_sweep_removes_them_on_a_backend_that_keeps_no_declarations_as_well() {
    // Nothing is swept: of the types of this run one is kept for ever.
    let backend = Arc::new(aimdb_persistence_tests::backends::ThreeMethods::new());
    backend.plant("temperature.old", 1, json!({ "celsius": 1.0, "at": 1 }));
    backend.plant("room.1", 1, json!(1));
    let day = Duration::from_secs(86_400);
    let mut builder = aimdb::builder().with_persistence(backend, day);
    Temperature::series("old").register(&mut builder);
    let db = aimdb::build(builder).await;
    assert_eq!(Temperature::history(&db).count().await.unwrap(), 1);
    assert_eq!(db.history("#").count().await.unwrap(), 2);
}
