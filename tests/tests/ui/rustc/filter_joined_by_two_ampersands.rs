use aimdb_core::AimDb;
use aimdb_persistence::Persist;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "pump.{number}")]
struct Pump {
    on: bool,
    bar: f64,
}

async fn ask(db: &AimDb<TokioAdapter>) {
    let fields = Pump::fields();
    let _ = Pump::history(db).filter(fields.on.is_true() && fields.bar.gt(2.0)).count().await;
}

fn main() {}
