use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "reading")]
#[serde(untagged)]
enum Reading {
    Measured {
        #[persist(deadband = 0.5)]
        value: f64,
    },
    Failed {
        value: i64,
        code: u8,
    },
}

fn main() {}
