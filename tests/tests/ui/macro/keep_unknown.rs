use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", min_interval = "10s", keep = "newest")]
struct Temperature {
    celsius: f64,
}

fn main() {}
