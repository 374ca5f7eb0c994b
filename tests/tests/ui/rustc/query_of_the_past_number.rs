use aimdb_core::AimDb;
use aimdb_persistence::Persist;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    celsius: f64,
    place: String,
}

async fn ask(db: &AimDb<TokioAdapter>) {
    let _ = Temperature::history(db).past(10).values().await;
}

fn main() {}
