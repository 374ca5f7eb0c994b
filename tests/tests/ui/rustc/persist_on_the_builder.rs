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

fn main() {
    let mut builder = AimDbBuilder::new().runtime(Arc::new(TokioAdapter));
    Temperature::series().persist(&mut builder);
}
