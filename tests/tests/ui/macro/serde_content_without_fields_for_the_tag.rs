use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
#[serde(tag = "type")]
enum Weather {
    Celsius(f64),
    Note(Option<String>),
    Readings { list: Vec<f64> },
}

fn main() {}
