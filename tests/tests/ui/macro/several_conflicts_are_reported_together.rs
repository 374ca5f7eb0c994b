use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", on_change, keep = "last")]
#[persist(max_silence = "1h", retention = "1m", on_duplicate = "ignore")]
#[persist(keep_last = 5, max_rows = 2, version = 3, migrate(u8))]
struct Temperature {
    #[persist(deadband = 0, unit = "")]
    celsius: f64,
}

fn main() {}
