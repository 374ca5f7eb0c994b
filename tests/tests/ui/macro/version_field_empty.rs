use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature", version = 1, version_field = "")]
struct Temperature {
    celsius: f64,
}

fn main() {}
