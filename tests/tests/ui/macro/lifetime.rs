use aimdb_persistence::Persist;
use serde::Serialize;

#[derive(Clone, Debug, Serialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature<'a> {
    station: &'a str,
}

fn main() {}
