use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", keep_last = 0)]
struct Temperature {
    celsius: f64,
}

fn main() {}
