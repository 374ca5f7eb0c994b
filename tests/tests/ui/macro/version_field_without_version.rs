use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature", version_field = "schema_version")]
struct Temperature {
    celsius: f64,
}

fn main() {}
