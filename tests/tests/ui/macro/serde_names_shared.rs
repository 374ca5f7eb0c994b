#![allow(unreachable_patterns)]

use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
struct Renamed {
    celsius: f64,
    #[serde(rename = "celsius")]
    kelvin: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "aliased")]
struct Aliased {
    #[serde(alias = "kelvin")]
    celsius: f64,
    kelvin: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "rule")]
#[serde(rename_all = "UPPERCASE")]
enum Rule {
    AB,
    Ab { value: f64 },
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "tag")]
#[serde(tag = "type")]
struct Tag {
    #[serde(rename = "type")]
    kind: String,
}

fn main() {}
