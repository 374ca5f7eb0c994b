use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
#[serde(tag = "type", deny_unknown_fields)]
struct Tagged {
    celsius: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "flattened")]
#[serde(deny_unknown_fields)]
struct Flattened {
    #[serde(flatten)]
    wind: Wind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wind {
    gust: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "unread")]
#[serde(deny_unknown_fields)]
struct Unread {
    #[serde(skip_deserializing)]
    unread: u8,
}

fn main() {}
