use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
struct Weather {
    celsius: Option<Option<f64>>,
    door: Vec<Option<()>>,
    boxed: Option<Box<Option<f64>>>,
}

fn main() {}
