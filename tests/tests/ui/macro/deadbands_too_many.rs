use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    #[persist(deadband = 1)]
    axis0: f64,
    #[persist(deadband = 1)]
    axis1: f64,
    #[persist(deadband = 1)]
    axis2: f64,
    #[persist(deadband = 1)]
    axis3: f64,
    #[persist(deadband = 1)]
    axis4: f64,
    #[persist(deadband = 1)]
    axis5: f64,
    #[persist(deadband = 1)]
    axis6: f64,
    #[persist(deadband = 1)]
    axis7: f64,
    #[persist(deadband = 1)]
    axis8: f64,
    #[persist(deadband = 1)]
    axis9: f64,
    #[persist(deadband = 1)]
    axis10: f64,
    #[persist(deadband = 1)]
    axis11: f64,
    #[persist(deadband = 1)]
    axis12: f64,
    #[persist(deadband = 1)]
    axis13: f64,
    #[persist(deadband = 1)]
    axis14: f64,
    #[persist(deadband = 1)]
    axis15: f64,
    #[persist(deadband = 1)]
    axis16: f64,
}

fn main() {}
