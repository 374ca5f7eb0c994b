//! Deadbands, fields to ignore and event times are of the variant that they are marked in.

use aimdb_persistence::{AimDbBuilderPersistExt, Persist, PersistenceBackend, QueryParams};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::FOREVER;
use serde::{Deserialize, Serialize};

use super::flush;
use crate::aimdb;

async fn stored<T: Persist + aimdb_persistence::declare::LiteralKey>(
    backend: std::sync::Arc<dyn PersistenceBackend>,
    key: &str,
    values: Vec<T>,
) -> Vec<serde_json::Value> {
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    T::register(&mut builder);
    let db = aimdb::build(builder).await;
    for value in values {
        aimdb::produce(&db, key, value).await;
    }
    flush(&db).await;
    let rows = backend.query(key, QueryParams::default()).await.unwrap();
    rows.into_iter().rev().map(|row| row.value).collect()
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "tagged")]
#[serde(tag = "type")]
enum Tagged {
    Measured {
        #[persist(deadband = 0.5)]
        value: f64,
    },
    Failed {
        value: i64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "adjacent")]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Measured {
        #[persist(deadband = 0.5)]
        value: f64,
    },
    Failed {
        value: i64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "external")]
enum External {
    Measured {
        #[persist(deadband = 0.5)]
        value: f64,
    },
    Failed {
        value: i64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "untagged")]
#[serde(untagged)]
enum Untagged {
    Measured {
        #[persist(deadband = 0.5)]
        value: f64,
    },
    Failed {
        code: i64,
    },
}

#[tokio::test]
async fn a_deadband_of_one_variant_says_nothing_of_another_however_serde_tags_them() {
    on_every_backend(async |backend| {
        macro_rules! rows {
            ($key:literal, $of:ident, $field:ident) => {{
                let measured = |value| $of::Measured { value };
                let failed = |$field| $of::Failed { $field };
                let values = vec![
                    measured(1.0),
                    failed(1),
                    measured(1.0),
                    measured(1.4), // too little
                    failed(1),
                    failed(1), // the same
                    failed(2),
                    measured(1.0),
                ];
                stored(backend.clone(), $key, values).await.len()
            }};
        }
        assert_eq!(rows!("tagged", Tagged, value), 6);
        assert_eq!(rows!("adjacent", Adjacent, value), 6);
        assert_eq!(rows!("external", External, value), 6);
        assert_eq!(rows!("untagged", Untagged, code), 6);
    })
    .await;
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "state", on_change)]
#[serde(tag = "type")]
enum State {
    Running {
        #[persist(ignore)]
        code: u32,
        #[persist(timestamp)]
        at: u64,
    },
    Failed {
        code: u32,
        #[persist(timestamp)]
        #[serde(rename = "failed_at")]
        at: u64,
    },
    Stopped {
        #[serde(rename = "at")]
        place: u64,
        #[persist(timestamp)]
        #[serde(rename = "stopped_at")]
        at: u64,
    },
}

#[tokio::test]
async fn what_is_ignored_in_one_variant_counts_in_another_and_so_does_what_is_its_time() {
    on_every_backend(async |backend| {
        let running = |code, at| State::Running { code, at };
        let failed = |code, at| State::Failed { code, at };
        let stopped = |place, at| State::Stopped { place, at };
        let rows = stored(
            backend,
            "state",
            vec![
                running(1, 1),
                running(2, 2), // ignored, and its time
                failed(2, 3),
                failed(3, 4),
                failed(3, 5), // its time
                stopped(1, 6),
                stopped(2, 7), // `at` is no time of this one
                stopped(2, 8),
            ],
        )
        .await;
        assert_eq!(rows.len(), 5, "{rows:?}");
    })
    .await;
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "signal", on_change)]
struct Signal {
    open: bool,
    #[persist(ignore)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    strength: Option<i8>,
}

#[tokio::test]
async fn what_is_ignored_may_come_and_go() {
    on_every_backend(async |backend| {
        let strengths = [Some(-70), None, Some(-71), None, None];
        let signals = strengths.map(|strength| Signal {
            open: true,
            strength,
        });
        assert_eq!(stored(backend, "signal", signals.into()).await.len(), 1);
    })
    .await;
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "counter")]
struct Counter {
    #[persist(deadband = 2)]
    bytes: u64,
}

#[tokio::test]
async fn a_deadband_on_a_counter_beyond_what_floats_can_tell_is_exact() {
    on_every_backend(async |backend| {
        let from = u64::MAX - 20;
        let counted = (0..10).map(|step| Counter { bytes: from + step });
        let rows = stored(backend, "counter", counted.collect()).await;
        let bytes: Vec<_> = rows
            .iter()
            .map(|row| row["bytes"].as_u64().unwrap() - from)
            .collect();
        assert_eq!(bytes, [0, 2, 4, 6, 8]);
    })
    .await;
}
