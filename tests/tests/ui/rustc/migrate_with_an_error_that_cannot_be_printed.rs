use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature", version = 2, migrate(TemperatureV1))]
struct Temperature {
    celsius: f64,
}

#[derive(Deserialize)]
struct TemperatureV1 {
    fahrenheit: f64,
}

struct TooCold;

impl TryFrom<TemperatureV1> for Temperature {
    type Error = TooCold;

    fn try_from(old: TemperatureV1) -> Result<Self, TooCold> {
        Ok(Self { celsius: (old.fahrenheit - 32.0) / 1.8 })
    }
}

fn main() {}
