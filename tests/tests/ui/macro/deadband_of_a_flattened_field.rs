use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    #[serde(flatten)]
    #[persist(deadband = 0.2)]
    wind: Wind,
}

fn main() {}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wind {
    gust: f64,
}
