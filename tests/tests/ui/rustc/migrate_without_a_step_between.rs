use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", version = 3, migrate(TemperatureV1, TemperatureV2))]
struct Temperature {
    celsius: f64,
}

fn main() {}

#[derive(Deserialize)]
struct TemperatureV1 {
    fahrenheit: f64,
}

#[derive(Deserialize)]
struct TemperatureV2 {
    celsius: f64,
}

impl From<TemperatureV2> for Temperature {
    fn from(older: TemperatureV2) -> Self {
        Self { celsius: older.celsius }
    }
}

impl From<TemperatureV1> for Temperature {
    fn from(older: TemperatureV1) -> Self {
        Self { celsius: (older.fahrenheit - 32.0) / 1.8 }
    }
}
