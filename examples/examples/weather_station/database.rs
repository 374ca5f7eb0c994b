//! The station's database: AimDB 1.

use std::sync::Arc;

pub(crate) use aimdb_core::DbResult;
use aimdb_core::{AimDb, AimDbBuilder};
use aimdb_tokio_adapter::TokioAdapter;

use crate::station::Temperature;

pub(crate) type Database = AimDb<TokioAdapter>;

pub(crate) fn builder() -> DbResult<AimDbBuilder<TokioAdapter>> {
    Ok(AimDbBuilder::new().runtime(Arc::new(TokioAdapter::new()?)))
}

pub(crate) async fn start(builder: AimDbBuilder<TokioAdapter>) -> DbResult<Database> {
    builder.build().await
}

pub(crate) async fn produce(db: &Database, key: &str, value: Temperature) -> DbResult<()> {
    db.produce(key, value).await
}
