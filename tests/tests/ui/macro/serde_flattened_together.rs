use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
struct Twice {
    #[serde(flatten)]
    indoors: Wind,
    #[serde(flatten)]
    outdoors: Wind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wind {
    gust: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "map_first")]
struct MapFirst {
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, f64>,
    #[serde(flatten)]
    wind: Wind,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "tagged")]
#[serde(tag = "type")]
struct Tagged {
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "absent")]
struct Absent {
    #[serde(flatten)]
    rest: Option<std::collections::BTreeMap<String, f64>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "number")]
struct Number {
    #[serde(flatten)]
    celsius: f64,
    #[serde(flatten, skip_serializing_if = "Wind::is_calm")]
    wind: Wind,
}

impl Wind {
    fn is_calm(&self) -> bool {
        self.gust == 0.0
    }
}

fn main() {}
