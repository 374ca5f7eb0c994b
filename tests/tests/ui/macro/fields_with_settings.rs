use aimdb_persistence::Fields;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Fields)]
#[fields(retention = "7d")]
struct Wind {
    gust: f64,
}

fn main() {}
