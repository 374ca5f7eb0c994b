//! A backend that was published for the 0.1 contract compiles and runs on this crate, unchanged.

use std::sync::Arc;
use std::time::Duration;

use aimdb_core::AimDbBuilder;
use aimdb_core::buffer::BufferCfg;
use aimdb_persistence::backend::PersistenceBackend;
use aimdb_persistence::error::PersistenceError;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, QueryParams, RecordRegistrarPersistExt,
};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_tokio_adapter::{TokioAdapter, TokioRecordRegistrarExt};
use serde::{Deserialize, Serialize};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "sensors.{name}", retention = "forever")]
struct Reading {
    value: f64,
}

#[tokio::test]
async fn the_published_backend_serves_a_declared_and_a_plain_record() -> Result<(), PersistenceError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backend: Arc<dyn PersistenceBackend> =
        Arc::new(SqliteBackend::new(folder.path().join("history.db"))?);
    let mut builder = AimDbBuilder::new().runtime(Arc::new(TokioAdapter)).with_persistence(backend, WEEK);
    Reading::series("a").register(&mut builder);
    builder.configure::<Reading>("plain::b", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 100 }).persist("plain::b");
    });
    let db = builder.build().await.expect("the database builds");
    for value in [1.0, 2.0, 0.1 + 0.2] {
        db.produce("sensors.a", Reading { value }).await.expect("the record exists");
        db.produce("plain::b", Reading { value }).await.expect("the record exists");
    }
    db.flush_persistence().await?;

    assert_eq!(db.persistence_stats()?.total.stored, 6);
    assert_eq!(Reading::query_latest(&db, 10).await?.len(), 3);
    let all: Vec<Reading> = db.query_range("plain::*", 0, u64::MAX >> 1, None).await?;
    assert_eq!(all.len(), 3);
    assert!(all.contains(&Reading { value: 0.1 + 0.2 }), "the last digit survives");
    assert_eq!(db.query_raw("*", QueryParams::default()).await?.len(), 6);
    Ok(())
}

#[tokio::test]
async fn a_row_that_the_published_backend_leaks_through_a_pattern_is_not_returned()
-> Result<(), PersistenceError> {
    let backend = Arc::new(SqliteBackend::new(":memory:")?);
    let mut builder =
        AimDbBuilder::new().runtime(Arc::new(TokioAdapter)).with_persistence(backend.clone(), WEEK);
    for key in ["sensors.open", "sensors.secret.deep"] {
        builder.configure::<Reading>(key, |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 10 }).persist(key);
        });
    }
    let db = builder.build().await.expect("the database builds");
    db.produce("sensors.open", Reading { value: 1.0 }).await.expect("the record exists");
    db.produce("sensors.secret.deep", Reading { value: 2.0 }).await.expect("the record exists");
    db.flush_persistence().await?;

    let seen: Vec<Reading> = db.query_latest("sensors.*", 10).await?;
    assert_eq!(seen, [Reading { value: 1.0 }]);
    Ok(())
}
