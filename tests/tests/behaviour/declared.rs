//! What the attributes of a type say is what the recorder does, on every backend.

use std::fmt::Debug;
use std::time::Duration;

use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, Persist};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::FOREVER;
use serde::{Deserialize, Serialize};

use crate::aimdb;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "room", buffer = "ring(65536)", max_silence = "1h")]
#[serde(rename_all = "camelCase")]
struct Room {
    #[persist(deadband = 0.5, unit = "°C")]
    air_celsius: f64,
    #[serde(rename = "d.o.t")]
    #[persist(deadband = "10%")]
    humidity: Option<f64>,
    note: String,
    #[persist(timestamp = "s")]
    measured_at: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "valve", buffer = "ring(65536)", on_change)]
#[serde(tag = "state", rename_all_fields = "camelCase")]
enum Valve {
    Opened {
        opened_to: u8,
        #[persist(ignore)]
        signal_strength: i8,
        #[persist(timestamp)]
        at_ms: u64,
    },
    Closed {
        #[persist(timestamp)]
        at_ms: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "forecast", buffer = "ring(65536)", on_duplicate = "replace")]
struct Forecast(f64, #[persist(timestamp)] u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(
    key = "meter",
    buffer = "ring(65536)",
    min_interval = "10s",
    keep = "last"
)]
struct Meter {
    kwh: u64,
    #[persist(timestamp)]
    at: u64,
}

/// Written beside the fields of what it is part of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Radio {
    rssi: i8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "tank", buffer = "ring(65536)", max_silence = "1h")]
struct Tank {
    #[serde(rename = "fill", alias = "level")]
    #[persist(deadband = 0.1)]
    litres: f64,
    #[serde(skip, default)]
    #[allow(dead_code)]
    raw: u16,
    #[serde(default)]
    note: String,
    #[serde(flatten)]
    radio: Radio,
    #[serde(with = "seconds")]
    #[persist(timestamp = "s")]
    at: u64,
}

/// A time that is written as a text, though the field is a number.
mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(seconds: &u64, writer: S) -> Result<S::Ok, S::Error> {
        writer.serialize_str(&seconds.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(reader: D) -> Result<u64, D::Error> {
        let text = String::deserialize(reader)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "pump", buffer = "ring(65536)", on_change)]
#[serde(tag = "state", content = "with", rename_all = "kebab-case")]
enum Pump {
    RunningAt(#[persist(ignore)] i8, u16, #[persist(timestamp)] u64),
    Stopped {
        #[persist(timestamp)]
        since: u64,
    },
}

/// What is stored of these values, the oldest first, once all of them have an end.
async fn stored<T: Persist + aimdb_persistence::declare::LiteralKey + Debug>(
    backend: std::sync::Arc<dyn aimdb_persistence::PersistenceBackend>,
    values: Vec<T>,
) -> Vec<T> {
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    T::register(&mut builder);
    let db = aimdb::build(builder).await;
    let produced = values.len() as u64;
    for value in values {
        aimdb::produce(&db, T::DECLARATION.template(), value).await;
    }
    let closed = db.close_persistence(Duration::from_secs(60)).await;
    assert!(closed.expect("it is recorded").complete);
    let counts = db.persistence_stats().expect("it is recorded").total;
    assert_eq!(counts.produced, produced);
    assert_eq!(counts.stored + counts.suppressed, produced, "{counts:?}");
    let mut stored = T::query_latest(&db, usize::MAX)
        .await
        .expect("the backend answers");
    stored.reverse();
    stored
}

#[tokio::test]
async fn a_marked_field_is_watched_under_the_name_that_serde_stores() {
    on_every_backend(async |backend| {
        let room = |measured_at, air_celsius, humidity, note: &str| Room {
            air_celsius,
            humidity,
            note: note.to_owned(),
            measured_at,
        };
        let values = vec![
            room(0, 20.0, Some(40.0), "the first"),
            room(1, 20.4, Some(43.0), "neither has moved"),
            room(2, 20.5, Some(43.0), "half a degree"),
            room(3, 20.5, Some(47.5), "a tenth more"),
            room(4, 20.5, None, "the number is gone"),
            room(3_604, 20.5, None, "an hour of silence"),
        ];
        let mut expected = values.clone();
        expected.remove(1);
        assert_eq!(stored(backend, values).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_change_is_one_but_for_the_event_time_and_what_is_ignored_in_each_variant() {
    on_every_backend(async |backend| {
        let opened = |at_ms, opened_to, signal_strength| Valve::Opened {
            opened_to,
            signal_strength,
            at_ms,
        };
        let closed = |at_ms| Valve::Closed { at_ms };
        let values = vec![
            opened(1, 10, -50),
            opened(2, 10, -70),
            opened(3, 11, -70),
            closed(4),
            closed(5),
            opened(6, 11, -70),
        ];
        let expected = vec![
            opened(1, 10, -50),
            opened(3, 11, -70),
            closed(4),
            opened(6, 11, -70),
        ];
        assert_eq!(stored(backend, values).await, expected);
    })
    .await;
}

#[tokio::test]
async fn what_serde_flattens_skips_and_writes_otherwise_is_stored_and_watched_all_the_same() {
    on_every_backend(async |backend| {
        let older = serde_json::json!({ "level": 9.9, "rssi": -50, "at": "1" });
        let row = backend.store("tank", &older, 1_000);
        row.await.expect("it is stored");
        let tank = |litres, rssi, at| Tank {
            litres,
            raw: 0,
            note: String::new(),
            radio: Radio { rssi },
            at,
        };
        let expected = [tank(9.9, -50, 1), tank(10.1, -60, 4)];
        // The row from before has the field under its other name, in which nothing is looked for: the next one is stored.
        let values = vec![tank(10.0, -50, 2), tank(10.09, -60, 3), tank(10.1, -60, 4)];
        let stored = stored(backend, values).await;
        assert_eq!(
            stored,
            [&expected[..1], &[tank(10.0, -50, 2)], &expected[1..]].concat()
        );
    })
    .await;
}

#[tokio::test]
async fn variants_with_their_content_apart_are_watched_in_it() {
    on_every_backend(async |backend| {
        let values = vec![
            Pump::RunningAt(-50, 900, 1),
            Pump::RunningAt(-70, 900, 2),
            Pump::RunningAt(-70, 901, 3),
            Pump::Stopped { since: 4 },
            Pump::Stopped { since: 5 },
        ];
        let expected = [0, 2, 3].map(|index| values[index].clone());
        assert_eq!(stored(backend, values).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_duplicate_takes_the_place_of_the_row_before_it() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Forecast::register(&mut builder);
        let db = aimdb::build(builder).await;
        for forecast in [Forecast(1.0, 10), Forecast(2.0, 20), Forecast(3.0, 10)] {
            aimdb::produce(&db, "forecast", forecast).await;
            db.flush_persistence().await.expect("a flush completes");
        }
        let rows = Forecast::query_latest(&db, 9)
            .await
            .expect("the backend answers");
        assert_eq!(rows, [Forecast(2.0, 20), Forecast(3.0, 10)]);
    })
    .await;
}

#[tokio::test]
async fn the_last_of_each_interval_is_stored() {
    on_every_backend(async |backend| {
        let meter = |at: u64| Meter {
            kwh: at,
            at: at * 1_000,
        };
        let values = [0, 4, 9, 10, 13, 25].map(meter).to_vec();
        assert_eq!(stored(backend, values).await, [9, 13, 25].map(meter));
    })
    .await;
}

mod older {
    use super::*;

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "lifted")]
    pub(super) struct V1 {
        pub(super) tenths: i64,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "lifted", version = 2, migrate(V1))]
    pub(super) struct V2 {
        pub(super) celsius: f64,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
    #[persist(key = "lifted", version = 3, migrate(V1, V2))]
    pub(super) struct V3 {
        pub(super) fahrenheit: f64,
    }

    impl From<V1> for V2 {
        fn from(older: V1) -> Self {
            Self {
                celsius: older.tenths as f64 / 10.0,
            }
        }
    }

    impl From<V2> for V3 {
        fn from(older: V2) -> Self {
            Self {
                fahrenheit: older.celsius * 2.0 + 32.0,
            }
        }
    }
}

#[tokio::test]
async fn rows_of_the_first_two_versions_of_a_program_are_read_by_its_third() {
    use older::{V1, V2, V3};
    on_every_backend(async |backend| {
        stored_once(backend.clone(), V1 { tenths: 100 }).await;
        stored_once(backend.clone(), V2 { celsius: 20.0 }).await;
        stored_once(backend.clone(), V3 { fahrenheit: 92.0 }).await;
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        V3::register(&mut builder);
        let db = aimdb::build(builder).await;
        let rows = V3::query_latest(&db, 9).await.expect("the backend answers");
        let fahrenheit: Vec<_> = rows.iter().map(|row| row.fahrenheit).collect();
        assert_eq!(fahrenheit, [92.0, 72.0, 52.0]);
    })
    .await;
}

async fn stored_once<T: Persist + aimdb_persistence::declare::LiteralKey>(
    backend: std::sync::Arc<dyn aimdb_persistence::PersistenceBackend>,
    value: T,
) {
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    T::register(&mut builder);
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, T::DECLARATION.template(), value).await;
    db.flush_persistence().await.expect("a flush completes");
}
