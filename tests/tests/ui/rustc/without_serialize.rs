use aimdb_persistence::Persist;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

fn main() {}
