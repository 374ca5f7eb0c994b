use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    #[persist(timestamp, getter = "Temperature::at")]
    at: u64,
}

fn main() {}
