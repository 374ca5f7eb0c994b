use std::sync::Arc;

use aimdb_core::{AimDbBuilder, buffer::BufferCfg};
use aimdb_persistence::Persist;
use aimdb_tokio_adapter::{TokioAdapter, TokioRecordRegistrarExt};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

#[derive(Clone, Debug)]
struct Humidity;

fn main() {
    let mut builder = AimDbBuilder::new().runtime(Arc::new(TokioAdapter));
    builder.configure::<Humidity>("humidity", |reg| {
        Temperature::series().persist(reg.buffer(BufferCfg::SpmcRing { capacity: 10 }));
    });
}
