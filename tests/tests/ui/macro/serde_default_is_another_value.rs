use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
struct Weather {
    #[serde(skip_serializing_if = "Option::is_none", default = "usual")]
    celsius: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default = "readings")]
    readings: Vec<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default = "yes")]
    sunny: bool,
    #[serde(skip_serializing_if = "Option::is_some")]
    note: Option<String>,
}

fn usual() -> Option<f64> {
    Some(20.0)
}

fn readings() -> Vec<f64> {
    vec![20.0]
}

fn yes() -> bool {
    true
}

fn main() {}
