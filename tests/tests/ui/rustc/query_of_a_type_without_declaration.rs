use aimdb_core::AimDb;
use aimdb_persistence::Persist;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pressure {
    hpa: f64,
}

async fn ask(db: &AimDb<TokioAdapter>) {
    let _ = Pressure::query_latest(db, 1).await;
}

fn main() {}
