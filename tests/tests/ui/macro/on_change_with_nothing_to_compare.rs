use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", on_change)]
struct Temperature {
    #[persist(timestamp)]
    at: u64,
    #[persist(ignore)]
    uptime_s: u64,
    #[serde(skip)]
    cache: u8,
}

fn main() {}
