use aimdb_core::AimDb;
use aimdb_persistence::Persist;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "pump.{number}")]
struct Pump {
    on: bool,
}

async fn ask(db: &AimDb<TokioAdapter>) {
    let _ = Pump::history(db).filter(Pump::fields().on).count().await;
}

fn main() {}
