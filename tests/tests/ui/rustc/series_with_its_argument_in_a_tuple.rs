use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{site}.{room}")]
struct Temperature {
    celsius: f64,
}

fn main() {
    let _ = Temperature::series(("paris", "cellar"));
}
