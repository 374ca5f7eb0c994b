//! The station's database: AimDB 2.

use std::sync::Arc;

pub(crate) use aimdb_core_2::DbResult;
use aimdb_core_2::{AimDb, AimDbBuilder};
use aimdb_tokio_adapter_2::TokioAdapter;

use crate::station::Temperature;

pub(crate) type Database = AimDb;

pub(crate) fn builder() -> DbResult<AimDbBuilder> {
    Ok(AimDbBuilder::new().runtime(Arc::new(TokioAdapter::new()?)))
}

/// AimDB 2 leaves it to the application to run what it has built: without the runner nothing is recorded.
pub(crate) async fn start(builder: AimDbBuilder) -> DbResult<Database> {
    let (db, runner) = builder.build().await?;
    tokio::spawn(runner.run());
    Ok(db)
}

pub(crate) async fn produce(db: &Database, key: &str, value: Temperature) -> DbResult<()> {
    db.produce(key, value)
}
