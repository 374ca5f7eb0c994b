use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, aimdb_persistence::Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

fn main() {
    let _ = Temperature::fields().celsius;
}
