use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", on_change, retention = "1h", max_silence = "90m")]
struct Temperature {
    celsius: f64,
}

fn main() {}
