use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", on_change, max_silence = "1 hour")]
struct Temperature {
    celsius: f64,
}

fn main() {}
