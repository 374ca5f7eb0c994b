use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
enum Temperature {
    Measured(#[persist(timestamp)] u64, #[persist(timestamp)] u64),
}

fn main() {}
