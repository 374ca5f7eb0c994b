//! What queries return: the rows selected, of the type asked for, in order.

use std::sync::Arc;

use aimdb_persistence::backend::Rows;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceBackend, PersistenceError,
    QueryParams,
};
use aimdb_persistence_tests::backends::{ThreeMethods, on_every_backend};
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde_json::json;

use crate::aimdb;

/// Two stations, ten values each.
pub(super) async fn two_stations(backend: Arc<dyn PersistenceBackend>) -> aimdb::Db {
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

pub(super) async fn on_all(test: impl AsyncFn(Arc<dyn PersistenceBackend>)) {
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
        let mut rows = Rows::new();
        for station in 0..5 {
            for time in 0..1_500_u64 {
                let value = json!({ "celsius": 0.0, "at": time }).to_string();
                rows.push(&format!("temperature.{station}"), time / 2, &value);
            }
        }
        let outcome = backend.store_batch(Arc::new(rows)).await;
        assert_eq!(outcome.settled, 7_500);
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
