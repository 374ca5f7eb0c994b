use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", on_change, min_interval = "2h", max_silence = "1h")]
struct Temperature {
    celsius: f64,
}

fn main() {}
