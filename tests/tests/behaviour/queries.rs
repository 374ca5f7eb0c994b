//! What queries return: the rows selected, of the type asked for, in order.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, PersistenceBackend,
    PersistenceError, PersistenceEvent, PersistenceOptions, QueryParams,
};
use aimdb_persistence_tests::backends::{ThreeMethods, on_every_backend};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb;

/// Two stations, ten values each.
async fn two_stations(backend: Arc<dyn PersistenceBackend>) -> aimdb::Db {
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    for station in ["sf", "oak"] {
        Temperature::series(station).register(&mut builder);
    }
    let db = aimdb::build(builder).await;
    for at in 0..10 {
        for station in ["sf", "oak"] {
            aimdb::produce(&db, &format!("temperature.{station}"), Temperature::at(at)).await;
        }
    }
    db.flush_persistence().await.unwrap();
    db
}

async fn on_all(test: impl AsyncFn(Arc<dyn PersistenceBackend>)) {
    on_every_backend(&test).await;
    test(Arc::new(ThreeMethods::new())).await;
}

#[tokio::test]
async fn rows_come_by_record_then_newest_first_up_to_the_limit_of_each() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let limited = QueryParams {
            limit_per_record: Some(2),
            ..QueryParams::default()
        };
        let rows = db.query_raw("temperature.*", limited).await.unwrap();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (&*row.record_name, row.stored_at))
            .collect();
        assert_eq!(
            rows,
            [
                ("temperature.oak", 9),
                ("temperature.oak", 8),
                ("temperature.sf", 9),
                ("temperature.sf", 8)
            ]
        );
        assert_eq!(
            Temperature::series("sf")
                .query_latest(&db, 3)
                .await
                .unwrap(),
            [9, 8, 7].map(Temperature::at)
        );
        assert_eq!(Temperature::query_latest(&db, 1).await.unwrap().len(), 2);
        assert_eq!(Temperature::query_latest(&db, 0).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn both_bounds_of_a_range_are_inclusive() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let sf = Temperature::series("sf");
        assert_eq!(
            sf.query_range(&db, 3, 5, None).await.unwrap(),
            [5, 4, 3].map(Temperature::at)
        );
        assert_eq!(
            sf.query_range(&db, 3, 5, Some(1)).await.unwrap(),
            [Temperature::at(5)]
        );
        let of_both = db.query_range::<Temperature>("temperature.*", 9, u64::MAX, None);
        assert_eq!(of_both.await.unwrap().len(), 2);
        let backwards = Temperature::query_range(&db, 5, 3, None);
        assert_eq!(backwards.await.unwrap(), []);
        let everything = Temperature::query_range(&db, 0, u64::MAX, Some(usize::MAX));
        assert_eq!(everything.await.unwrap().len(), 20);
    })
    .await;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "{kind}.sf")]
struct AnyKind {
    celsius: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "power.{phase}")]
struct Power<T> {
    watts: T,
}

#[tokio::test]
async fn rows_of_another_type_under_a_fitting_key_are_never_decoded() {
    on_all(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Temperature::series("sf").register(&mut builder);
        AnyKind::series("rain").register(&mut builder);
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
        aimdb::produce(&db, "rain.sf", AnyKind { celsius: 2.0 }).await;
        db.flush_persistence().await.unwrap();
        // `temperature.sf` fits `{kind}.sf`, and its JSON would decode.
        assert_eq!(
            AnyKind::query_latest(&db, 10).await.unwrap(),
            [AnyKind { celsius: 2.0 }]
        );
        assert_eq!(
            Temperature::query_latest(&db, 10).await.unwrap(),
            [Temperature::at(1)]
        );
        let not_its_own = AnyKind::series("temperature");
        assert_eq!(not_its_own.query_latest(&db, 10).await.unwrap(), []);
        assert_eq!(db.persistence_stats().unwrap().undecodable, 0);
        let by_hand: Vec<AnyKind> = db.query_latest("*.sf", 10).await.unwrap();
        assert_eq!(
            by_hand.len(),
            2,
            "a pattern of the user's asks for every type"
        );
    })
    .await;
}

#[tokio::test]
async fn a_generic_type_has_series_per_instance() {
    on_all(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Power::<f64>::series("l1").register(&mut builder);
        Power::<String>::series("l2").register(&mut builder);
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "power.l1", Power { watts: 1.5 }).await;
        let text = Power {
            watts: "2 W".to_owned(),
        };
        aimdb::produce(&db, "power.l2", text.clone()).await;
        db.flush_persistence().await.unwrap();
        assert_eq!(
            Power::<f64>::query_latest(&db, 10).await.unwrap(),
            [Power { watts: 1.5 }]
        );
        assert_eq!(
            Power::<String>::query_latest(&db, 10).await.unwrap(),
            [text]
        );
        assert_eq!(db.persistence_stats().unwrap().undecodable, 0);
    })
    .await;
}

#[tokio::test]
async fn rows_that_do_not_decode_are_skipped_counted_and_reported_once_per_query() {
    on_every_backend(async |backend| {
        for (time, value) in [
            (1, json!({ "celsius": 1.0, "at": 1 })),
            (2, json!({ "fahrenheit": 2.0 })),
            (3, json!(null)),
            (4, json!({ "celsius": 4.0, "at": 4 })),
            (5, json!("five")),
        ] {
            backend.store("temperature.sf", &value, time).await.unwrap();
        }
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        let expected = [
            Temperature {
                celsius: 4.0,
                at: 4,
            },
            Temperature {
                celsius: 1.0,
                at: 1,
            },
        ];
        assert_eq!(Temperature::query_latest(&db, 10).await.unwrap(), expected);
        assert_eq!(db.persistence_stats().unwrap().undecodable, 3);
        let reported = |events: &Events| {
            events.count(|event| {
                matches!(event, PersistenceEvent::Undecodable { record_name, stored_at: 5, .. }
                    if record_name == "temperature.sf")
            })
        };
        assert_eq!(reported(&events), 1);
        let again: Vec<Temperature> = db.query_range("temperature.sf", 0, 9, None).await.unwrap();
        assert_eq!(again, expected);
        assert_eq!(db.persistence_stats().unwrap().undecodable, 6);
        assert_eq!(reported(&events), 2);
        let raw = db.query_raw("temperature.sf", QueryParams::default()).await;
        assert_eq!(raw.unwrap().len(), 5, "raw rows are what is stored");
    })
    .await;
}

#[tokio::test]
async fn the_strict_queries_name_the_row_that_does_not_decode() {
    let backend = Arc::new(MemoryBackend::new());
    let db = two_stations(backend.clone()).await;
    backend
        .store("temperature.sf", &json!({ "celsius": "cold" }), 77)
        .await
        .unwrap();
    let latest = db.query_latest_strict::<Temperature>("temperature.*", 1);
    let range = db.query_range_strict::<Temperature>("temperature.sf", 50, 100, None);
    for error in [latest.await.unwrap_err(), range.await.unwrap_err()] {
        let PersistenceError::Undecodable {
            record_name,
            stored_at,
            type_name,
            ..
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!((&**record_name, *stored_at), ("temperature.sf", 77));
        assert!(type_name.ends_with("Temperature"));
        let text = error.to_string();
        assert!(
            text.contains("temperature.sf") && text.contains("77"),
            "{text}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
    assert_eq!(db.persistence_stats().unwrap().undecodable, 0);
    let sound = db.query_range_strict::<Temperature>("temperature.*", 0, 50, None);
    assert_eq!(sound.await.unwrap().len(), 20);
}

#[tokio::test]
async fn patterns_select_what_the_grammar_says_and_nothing_else() {
    on_every_backend(async |backend| {
        let keys = ["a", "a.b", "a::b", "a.b.c", "a.bc", "secret.a.b"];
        for key in keys {
            backend.store(key, &json!(key), 1).await.unwrap();
        }
        let db = aimdb::build(aimdb::builder().with_persistence(backend, FOREVER)).await;
        for (pattern, selected) in [
            ("*", &keys[..]),
            ("#", &keys[..]),
            ("a", &["a"]),
            ("a.*", &["a.b", "a.bc"]),
            ("a::*", &["a::b"]),
            ("a.b*", &["a.b", "a.bc"]),
            ("a.#", &["a", "a.b", "a.b.c", "a.bc"]),
            ("*.b", &["a.b"]),
            ("A.b", &[]),
            ("nothing.*", &[]),
        ] {
            let mut answer: Vec<String> = db.query_latest(pattern, 9).await.unwrap();
            answer.sort();
            let mut expected = selected.to_vec();
            expected.sort_unstable();
            assert_eq!(answer, expected, "{pattern}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_malformed_pattern_is_an_error() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        for pattern in ["a..*", "*.", ".#", "a:::*", "a#", "##"] {
            let error = db
                .query_latest::<Temperature>(pattern, 1)
                .await
                .unwrap_err();
            assert!(
                matches!(error, PersistenceError::InvalidPattern(_)),
                "{pattern:?}: {error:?}"
            );
            let raw = db.query_raw(pattern, QueryParams::default()).await;
            assert!(raw.is_err(), "{pattern:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_odd_key_from_elsewhere_stays_reachable_by_its_exact_name() {
    let backend = Arc::new(ThreeMethods::new());
    let odd = ["", "a..b", "a:::b", "tab\there", "a..*", "a#b"];
    for key in odd {
        backend.plant(key, 5, json!({ "celsius": 0.5, "at": 5 }));
    }
    let db = two_stations(backend).await;
    for key in odd {
        let rows: Vec<Temperature> = db.query_latest(key, 9).await.unwrap();
        assert_eq!(rows, [Temperature::at(5)], "{key:?}");
    }
}

#[tokio::test]
async fn a_query_reads_many_pages_as_one_answer() {
    on_every_backend(async |backend| {
        for station in 0..5 {
            for time in 0..1_500_u64 {
                let value = json!({ "celsius": 0.0, "at": time });
                let key = format!("temperature.{station}");
                backend.store(&key, &value, time / 2).await.unwrap();
            }
        }
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        for station in 0..5 {
            Temperature::series(station).register(&mut builder);
        }
        let db = aimdb::build(builder).await;
        let rows = Temperature::query_latest(&db, 1_200).await.unwrap();
        let times: Vec<u64> = rows.iter().map(|row| row.at).collect();
        let of_one = (300..1_500).rev();
        let expected: Vec<u64> = (0..5).flat_map(|_| of_one.clone()).collect();
        assert_eq!(times, expected);
        let raw = db.query_raw("temperature.#", QueryParams::default()).await;
        assert_eq!(raw.unwrap().len(), 7_500);
    })
    .await;
}

async fn newest<T: DeserializeOwned>(db: &aimdb::Db, key: &str) -> Option<T> {
    db.query_latest(key, 1).await.unwrap().pop()
}

#[tokio::test]
async fn a_generic_function_needs_nothing_of_its_type_but_that_it_decodes() {
    /// Neither `Send` nor `Clone` nor `Debug`.
    #[derive(Deserialize)]
    struct Local {
        celsius: f64,
        #[serde(skip)]
        _not_send: std::rc::Rc<()>,
    }

    let db = two_stations(Arc::new(MemoryBackend::new())).await;
    let local: Local = newest(&db, "temperature.sf").await.unwrap();
    assert_eq!(local.celsius, 0.9);
}
