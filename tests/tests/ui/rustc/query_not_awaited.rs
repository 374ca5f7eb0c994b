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

fn ask(db: &AimDb<TokioAdapter>) -> usize {
    let newest = Temperature::query_latest(db, 1).unwrap();
    newest.len()
}

fn main() {}
