use aimdb_persistence::Fields;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Fields)]
enum Door {
    Opened { by: String },
    Closed,
}

fn main() {}
