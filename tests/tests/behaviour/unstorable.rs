//! Values that cannot be stored cost themselves and nothing else, and are counted.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceOptions, QueryParams,
    report::LossKind,
};
use aimdb_persistence_tests::backends::{ThreeMethods, on_every_backend};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::{Deserialize, Serialize, Serializer};

use crate::aimdb;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "measured")]
struct Measured {
    value: f64,
    deviation: Option<f64>,
}

#[tokio::test]
async fn floats_that_json_cannot_express_are_counted_and_never_become_null() {
    on_every_backend(async |backend| {
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Measured::register(&mut builder);
        let db = aimdb::build(builder).await;
        let kept = [
            Measured {
                value: 1.0,
                deviation: None,
            },
            Measured {
                value: 2.0,
                deviation: Some(0.5),
            },
        ];
        let lost = [
            Measured {
                value: f64::NAN,
                deviation: None,
            },
            Measured {
                value: 3.0,
                deviation: Some(f64::NAN),
            },
            Measured {
                value: f64::INFINITY,
                deviation: None,
            },
            Measured {
                value: 4.0,
                deviation: Some(f64::NEG_INFINITY),
            },
        ];
        for value in [&lost[..2], &kept, &lost[2..]].concat() {
            aimdb::produce(&db, "measured", value).await;
        }
        db.flush_persistence().await.unwrap();
        let total = db.persistence_stats().unwrap().total;
        assert_eq!(
            (
                total.produced,
                total.stored,
                total.unserializable,
                total.pending
            ),
            (6, 2, 4, 0)
        );
        let mut rows = Measured::query_latest(&db, 10).await.unwrap();
        rows.reverse();
        assert_eq!(rows, kept);
        assert_eq!(
            events.losses("measured", LossKind::Unserializable),
            1,
            "the first is reported, the rest are counted"
        );
    })
    .await;
}

#[derive(Clone, Debug, PartialEq, Deserialize, Persist)]
#[persist(key = "moody")]
enum Moody {
    Willing(u64),
    Refusing,
    Panicking,
}

impl Serialize for Moody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Willing(number) => {
                serializer.serialize_newtype_variant("Moody", 0, "Willing", number)
            }
            Self::Refusing => Err(serde::ser::Error::custom("not today")),
            Self::Panicking => panic!("a `Serialize` that panics, as this test wants it"),
        }
    }
}

#[tokio::test]
async fn a_serialize_that_fails_or_panics_costs_its_own_value_only() {
    on_every_backend(async |backend| {
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Moody::register(&mut builder);
        let db = aimdb::build(builder).await;
        for value in [
            Moody::Willing(1),
            Moody::Refusing,
            Moody::Willing(2),
            Moody::Panicking,
            Moody::Willing(3),
        ] {
            aimdb::produce(&db, "moody", value).await;
        }
        db.flush_persistence().await.unwrap();
        let total = db.persistence_stats().unwrap().total;
        assert_eq!(
            (total.produced, total.stored, total.unserializable),
            (5, 3, 2)
        );
        assert_eq!(
            Moody::query_latest(&db, 10).await.unwrap(),
            [3, 2, 1].map(Moody::Willing)
        );
        assert_eq!(events.losses("moody", LossKind::Unserializable), 1);
    })
    .await;
}

#[tokio::test]
async fn an_event_time_that_cannot_be_stored_fails_its_value_only() {
    on_every_backend(async |backend| {
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        let last = i64::MAX as u64;
        for at in [0, last, last + 1, u64::MAX] {
            aimdb::produce(&db, "temperature.sf", Temperature { celsius: 1.0, at }).await;
        }
        db.flush_persistence().await.unwrap();
        let total = db.persistence_stats().unwrap().total;
        assert_eq!((total.produced, total.stored, total.failed), (4, 2, 2));
        let stored: Vec<u64> = Temperature::query_range(&db, 0, u64::MAX, None)
            .await
            .unwrap()
            .iter()
            .map(|row| row.at)
            .collect();
        assert_eq!(stored, [last, 0]);
        assert_eq!(events.losses("temperature.sf", LossKind::Failed), 1);
    })
    .await;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "signed")]
struct Signed {
    #[persist(timestamp)]
    at: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "clocked")]
struct Clocked {
    number: u64,
    /// As serde writes it, a time before 1970 would be an error of its own.
    #[serde(skip, default = "SystemTime::now")]
    #[persist(timestamp)]
    at: SystemTime,
}

#[tokio::test]
async fn an_event_time_before_1970_fails_its_value_only() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Signed::register(&mut builder);
        Clocked::register(&mut builder);
        let db = aimdb::build(builder).await;
        for at in [-1, 7, i64::MIN, i64::MAX] {
            aimdb::produce(&db, "signed", Signed { at }).await;
        }
        let hour = Duration::from_secs(3_600);
        for (number, at) in [(1, UNIX_EPOCH - hour), (2, UNIX_EPOCH + hour)] {
            aimdb::produce(&db, "clocked", Clocked { number, at }).await;
        }
        db.flush_persistence().await.unwrap();
        let stats = db.persistence_stats().unwrap();
        let signed = stats.record("signed").unwrap().counts;
        assert_eq!((signed.produced, signed.stored, signed.failed), (4, 2, 2));
        let clocked = stats.record("clocked").unwrap().counts;
        assert_eq!(
            (clocked.produced, clocked.stored, clocked.failed),
            (2, 1, 1)
        );
        let rows = db
            .query_raw("clocked", QueryParams::default())
            .await
            .unwrap();
        assert_eq!(rows[0].stored_at, 3_600_000);
    })
    .await;
}

#[tokio::test]
async fn a_value_nested_too_deeply_to_be_read_back_fails_and_spoils_no_query() {
    async fn check(backend: Arc<dyn aimdb_persistence::PersistenceBackend>) {
        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = "deep")]
        struct Deep(serde_json::Value);

        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Deep::register(&mut builder);
        let db = aimdb::build(builder).await;
        let nested =
            |depth| (0..depth).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        for depth in [1, 1_000, 2] {
            aimdb::produce(&db, "deep", Deep(nested(depth))).await;
        }
        db.flush_persistence().await.unwrap();
        let total = db.persistence_stats().unwrap().total;
        assert_eq!((total.produced, total.stored, total.failed), (3, 2, 1));
        assert_eq!(Deep::query_latest(&db, 10).await.unwrap().len(), 2);
        assert_eq!(
            db.query_raw("deep", QueryParams::default())
                .await
                .unwrap()
                .len(),
            2
        );
    }
    on_every_backend(check).await;
    check(Arc::new(ThreeMethods::new())).await;
}
