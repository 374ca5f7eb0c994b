use std::sync::Arc;

use aimdb_core::{AimDbBuilder, buffer::BufferCfg};
use aimdb_persistence::RecordRegistrarPersistExt;
use aimdb_tokio_adapter::{TokioAdapter, TokioRecordRegistrarExt};

#[derive(Clone, Debug)]
struct Humidity;

fn main() {
    let mut builder = AimDbBuilder::new().runtime(Arc::new(TokioAdapter));
    builder.configure::<Humidity>("humidity", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 10 }).persist("humidity");
    });
}
