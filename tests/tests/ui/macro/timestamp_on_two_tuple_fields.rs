use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature(#[persist(timestamp)] u64, f64, #[persist(timestamp)] u64);

fn main() {}
