use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
enum Weather {
    #[serde(skip_serializing)]
    Sunny { celsius: f64 },
    #[serde(skip_deserializing)]
    Cloudy,
    Rainy(#[serde(skip_serializing)] f64),
    Foggy(#[serde(skip_deserializing)] f64),
    #[serde(serialize_with = "as_text")]
    Windy(f64),
}

fn as_text<S: serde::Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "without_content")]
#[serde(tag = "type", content = "value")]
enum WithoutContent {
    Sunny(#[serde(skip)] f64),
}

fn main() {}
