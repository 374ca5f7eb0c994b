use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    celsius: f64,
    #[serde(skip)]
    #[persist(unit = "V")]
    raw: f64,
}

fn main() {}
