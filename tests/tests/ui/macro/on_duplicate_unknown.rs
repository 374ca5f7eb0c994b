use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", on_duplicate = "overwrite")]
struct Temperature {
    celsius: f64,
    #[persist(timestamp)]
    at: u64,
}

fn main() {}
