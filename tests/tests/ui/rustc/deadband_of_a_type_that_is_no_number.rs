use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    #[persist(deadband = 0.2)]
    celsius: Celsius,
}

fn main() {}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Celsius(f64);
