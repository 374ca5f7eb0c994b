use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", version = 2, migrate = TemperatureV1)]
struct Temperature {
    celsius: f64,
}

fn main() {}
