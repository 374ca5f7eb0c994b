use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "door.{id}")]
#[serde(rename_all(deserialize = "snake_case"))]
enum Door {
    Opened,
    #[serde(alias = "Closed")]
    Closed,
}

fn main() {}
