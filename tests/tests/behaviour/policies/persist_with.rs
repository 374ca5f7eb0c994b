//! The same policies for a record whose type declares nothing.

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Deadband, Field, Keep, PersistenceBackend, Policy,
    QueryParams, RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::{FOREVER, Reading};
use serde::{Deserialize, Serialize};

use super::{LONG, counts, flush};
use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

fn ring() -> BufferCfg {
    BufferCfg::SpmcRing { capacity: 4_096 }
}

async fn values(backend: &dyn PersistenceBackend, key: &str) -> Vec<serde_json::Value> {
    let rows = backend.query(key, QueryParams::default()).await.unwrap();
    rows.into_iter().rev().map(|row| row.value).collect()
}

#[tokio::test]
async fn a_plain_record_stores_changes_only_across_restarts() {
    on_every_backend(async |backend| {
        for run in 0..3_u64 {
            let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
            builder.configure::<Reading>("door", |reg| {
                reg.buffer(ring())
                    .persist_with("door", Policy::new().on_change());
            });
            let db = aimdb::build(builder).await;
            for value in [run / 2, run / 2, 7, 7, run] {
                aimdb::produce(&db, "door", Reading(value)).await;
            }
            let report = db.close_persistence(LONG).await.unwrap();
            assert!(report.complete);
            assert_eq!(report.stats.total.produced, 5);
        }
        // 0 7 0 | 7 1 | 7 2
        assert_eq!(values(&*backend, "door").await, [0, 7, 0, 7, 1, 7, 2]);
    })
    .await;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Sample {
    Wind {
        #[serde(rename = "metres-per-second")]
        speed: Option<f32>,
        direction: [u16; 2],
    },
    Calm,
}

const SPEED: Field<Sample, Option<f32>> = Field::at(&["metres-per-second"]);
const DIRECTION: Field<Sample, u16> = Field::at(&["direction", "1"]);

#[tokio::test]
async fn fields_are_named_as_serde_stores_them() {
    on_every_backend(async |backend| {
        let policy = Policy::new()
            .deadband(SPEED, Deadband::Relative(0.1))
            .deadband(DIRECTION, Deadband::Absolute(5.0));
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        builder.configure::<Sample>("wind", |reg| {
            reg.buffer(ring()).persist_with("wind", policy);
        });
        let db = aimdb::build(builder).await;
        let wind = |speed, direction| Sample::Wind { speed, direction };
        for (sample, _why) in [
            (wind(Some(10.0), [0, 0]), "the first"),
            (wind(Some(10.9), [90, 4]), "too little"),
            (wind(Some(11.0), [90, 4]), "a tenth"),
            (wind(Some(11.0), [90, 9]), "the direction"),
            (wind(None, [90, 9]), "no speed any more"),
            (wind(None, [91, 6]), "too little again"),
            (Sample::Calm, "no direction any more"),
            (Sample::Calm, "too little"),
        ] {
            aimdb::produce(&db, "wind", sample).await;
        }
        flush(&db).await;
        assert_eq!((counts(&db).stored, counts(&db).suppressed), (5, 3));
    })
    .await;
}

#[tokio::test]
async fn intervals_run_on_the_time_of_receipt_where_there_is_no_other() {
    on_every_backend(async |backend| {
        let hour = 3_600_000;
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        for (key, keep) in [("first", Keep::First), ("last", Keep::Last)] {
            builder.configure::<Reading>(key, move |reg| {
                reg.buffer(ring())
                    .persist_with(key, Policy::new().min_interval_ms(hour, keep));
            });
        }
        let db = aimdb::build(builder).await;
        for value in 0..1_000 {
            aimdb::produce(&db, "first", Reading(value)).await;
            aimdb::produce(&db, "last", Reading(value)).await;
        }
        // What waits for the end of its hour is stored when recording ends.
        db.close_persistence(LONG).await.unwrap();
        assert_eq!(values(&*backend, "first").await, [0]);
        assert_eq!(values(&*backend, "last").await, [999]);
        let total = db.persistence_stats().unwrap().total;
        assert_eq!((total.stored, total.suppressed), (2, 1_998));
    })
    .await;
}
