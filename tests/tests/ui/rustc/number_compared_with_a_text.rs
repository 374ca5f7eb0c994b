use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    celsius: f64,
    place: String,
}

fn filter() {
    let _ = Temperature::fields().celsius.gt("30");
}

fn main() {}
