//! Rows become values of the type asked for, or are named.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, PersistenceBackend,
    PersistenceError, PersistenceEvent, PersistenceOptions, QueryParams,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb;

use super::queries::{on_all, two_stations};

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
