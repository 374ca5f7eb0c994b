use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", on_change)]
struct Temperature {
    #[persist(deadband = 0.2)]
    celsius: f64,
}

fn main() {}
