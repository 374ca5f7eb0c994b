use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature..{station}", retentoin = "7d", buffer = "ring(0)")]
#[persist(retention = "0s", crate = 7)]
struct Temperature {
    #[persist(timestamp)]
    at: u64,
    #[persist(timestamp, key = "x")]
    also_at: u64,
}

fn main() {}
