use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "door.{id}")]
enum Door {
    Opened { by: String },
    Closed,
}

fn main() {
    let _ = Door::fields();
}
