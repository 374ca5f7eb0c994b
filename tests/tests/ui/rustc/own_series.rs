use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    celsius: f64,
}

impl Temperature {
    fn series() -> u8 {
        7
    }
}

fn main() {}
