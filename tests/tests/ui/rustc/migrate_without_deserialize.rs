use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", version = 2, migrate(TemperatureV1))]
struct Temperature {
    celsius: f64,
}

fn main() {}

struct TemperatureV1 {
    fahrenheit: f64,
}

impl From<TemperatureV1> for Temperature {
    fn from(older: TemperatureV1) -> Self {
        Self { celsius: (older.fahrenheit - 32.0) / 1.8 }
    }
}
