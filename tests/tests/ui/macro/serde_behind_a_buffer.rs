use std::collections::{BTreeMap, HashMap};

use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
#[serde(tag = "type")]
enum Tagged {
    Readings { by_channel: BTreeMap<u32, f64> },
    Total { count: u128 },
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "untagged")]
#[serde(untagged)]
enum Untagged {
    Switches(HashMap<bool, String>),
    Total(Option<i128>),
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "flattened")]
struct Flattened {
    #[serde(flatten)]
    by_channel: HashMap<u8, u128>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "pairs")]
struct Pairs {
    by_place: HashMap<(u8, u8), f64>,
    by_channel: Vec<BTreeMap<Option<u8>, f64>>,
}

fn main() {}
