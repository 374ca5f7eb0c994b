use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
#[serde(into = "f64", from = "f64")]
struct Temperature {
    #[persist(deadband = 0.2)]
    celsius: f64,
}

fn main() {}

impl From<f64> for Temperature {
    fn from(celsius: f64) -> Self {
        Self { celsius }
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        temperature.celsius
    }
}
