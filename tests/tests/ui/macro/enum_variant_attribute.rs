use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
enum Temperature {
    #[persist(timestamp)]
    Measured(f64, u64),
    Off,
}

fn main() {}
