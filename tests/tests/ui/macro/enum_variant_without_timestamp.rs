use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
enum Temperature {
    Measured {
        celsius: f64,
        #[persist(timestamp)]
        at: u64,
    },
    Failed(String),
    Off,
}

fn main() {}
