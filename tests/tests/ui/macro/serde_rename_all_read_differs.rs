use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
#[serde(rename_all(serialize = "camelCase"))]
struct Temperature {
    air_pressure: f64,
    celsius: f64,
}

fn main() {}
