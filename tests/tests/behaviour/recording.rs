//! From a produced value to a stored row: what is recorded, when, and how often.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, RecordRegistrarPersistExt,
};
use serde::{Deserialize, Serialize};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(
    key = "temperature.{station}",
    retention = "forever",
    buffer = "ring(65536)"
)]
struct Temperature {
    celsius: f64,
    #[persist(timestamp)]
    at: u64,
}

#[tokio::test]
async fn twenty_thousand_values_at_once_into_a_large_ring_are_all_stored() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), WEEK);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..20_000 {
        aimdb::produce(
            &db,
            "temperature.sf",
            Temperature {
                celsius: at as f64,
                at,
            },
        )
        .await;
    }
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!(
        (total.produced, total.stored, total.pending),
        (20_000, 20_000, 0)
    );
    let newest = Temperature::query_latest(&db, 1).await.unwrap();
    assert_eq!(
        newest,
        [Temperature {
            celsius: 19_999.0,
            at: 19_999
        }]
    );
}

#[tokio::test]
async fn a_plain_persist_records_from_the_buffer_the_record_has() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), WEEK);
    builder.configure::<Temperature>("t", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 16 })
            .persist("t");
    });
    let db = aimdb::build(builder).await;
    aimdb::produce(
        &db,
        "t",
        Temperature {
            celsius: 1.5,
            at: 5,
        },
    )
    .await;
    db.flush_persistence().await.unwrap();
    let rows: Vec<Temperature> = db.query_latest("t", 10).await.unwrap();
    assert_eq!(
        rows,
        [Temperature {
            celsius: 1.5,
            at: 5
        }]
    );
}
