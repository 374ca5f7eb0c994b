use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(retention = "7d")]
#[persist(key = "temperature.{station}")]
struct Temperature {
    celsius: f64,
    #[persist(key = "temperature")]
    at: u64,
}

fn main() {}
