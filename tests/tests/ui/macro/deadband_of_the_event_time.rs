use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    celsius: f64,
    #[persist(timestamp, deadband = 1000)]
    at: u64,
}

fn main() {}
