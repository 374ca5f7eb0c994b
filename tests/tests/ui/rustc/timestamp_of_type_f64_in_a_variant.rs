use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
enum Temperature {
    Measured(f64, #[persist(timestamp)] f64),
}

fn main() {}
