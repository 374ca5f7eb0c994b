use std::sync::Arc;

use aimdb_core::AimDbBuilder;
use aimdb_persistence::Persist;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

async fn ask() {
    let builder = AimDbBuilder::new().runtime(Arc::new(TokioAdapter));
    let _ = Temperature::query_latest(&builder, 1).await;
}

fn main() {}
