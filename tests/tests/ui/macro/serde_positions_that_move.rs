use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
struct First(
    #[serde(skip_serializing_if = "Option::is_none", default)] Option<f64>,
    #[serde(default)] f64,
);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "last")]
struct Last(f64, #[serde(skip_serializing_if = "Option::is_none")] Option<f64>);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "other_default")]
struct OtherDefault(f64, #[serde(skip_serializing_if = "Option::is_none", default = "some")] Option<f64>);

fn some() -> Option<f64> {
    Some(1.0)
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "one_way")]
struct OneWay(
    #[serde(skip_serializing, default)] f64,
    #[serde(skip_deserializing)] f64,
    #[serde(default)] f64,
);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "variant")]
enum Variant {
    Tuple(#[serde(skip_deserializing)] u8, u8),
    Struct { named: u8 },
}

fn main() {}
