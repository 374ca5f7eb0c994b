use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "weather")]
#[serde(into = "f64")]
struct Into {
    celsius: f64,
}

impl core::convert::From<Into> for f64 {
    fn from(into: Into) -> Self {
        into.celsius
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "from")]
#[serde(try_from = "f64")]
struct From {
    celsius: f64,
}

impl core::convert::TryFrom<f64> for From {
    type Error = String;

    fn try_from(celsius: f64) -> Result<Self, String> {
        Ok(Self { celsius })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "field")]
struct Field {
    #[serde(serialize_with = "as_text")]
    celsius: f64,
}

fn as_text<S: serde::Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn main() {}
