use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    #[persist(for = "f64")]
    celsius: f64,
}

fn main() {}
