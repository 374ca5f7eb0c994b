use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    celsius: f64,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "read_note")]
    note: Option<String>,
}

fn main() {}

fn read_note<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(input)
}
