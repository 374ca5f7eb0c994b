use aimdb_persistence::Persist;
use serde::Serialize;

#[derive(Clone, Debug, Serialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

fn main() {}
