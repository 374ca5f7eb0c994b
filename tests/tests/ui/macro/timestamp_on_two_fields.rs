use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    #[persist(timestamp)]
    measured_at: u64,
    #[persist(timestamp)]
    received_at: u64,
}

fn main() {}
