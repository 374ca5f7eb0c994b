use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", min_interval = "2d", retention = "1d")]
struct Temperature {
    celsius: f64,
}

fn main() {}
