use aimdb_persistence::{Fields, Persist};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Fields, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

fn main() {}
