//! What serde is told to write can be read again in all of these.

use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "weather.{station}")]
#[serde(rename_all(serialize = "camelCase", deserialize = "snake_case"), deny_unknown_fields)]
struct Weather {
    #[serde(alias = "airPressure")]
    air_pressure: f64,
    #[serde(rename(deserialize = "temp_c"), alias = "celsius")]
    celsius: f64,
    #[serde(rename = "°F")]
    fahrenheit: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing, default)]
    unwritten: u8,
    #[serde(skip_deserializing)]
    #[serde(skip_serializing)]
    neither: u8,
    #[serde(skip)]
    skipped: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "defaults")]
#[serde(default)]
struct Defaults {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing)]
    unwritten: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "door")]
#[serde(rename_all(deserialize = "lowercase"))]
enum Door {
    #[serde(alias = "Opened")]
    Opened,
    #[serde(rename = "closed")]
    Closed,
}

fn assert_round_trip<T: Persist + PartialEq>(value: T) {
    let json = serde_json::to_string(&value).expect("it can be written");
    let read: T = serde_json::from_str(&json).expect("it can be read");
    assert_eq!(read, value, "{json}");
}

fn main() {
    assert_round_trip(Weather {
        air_pressure: 1.5,
        celsius: 2.5,
        fahrenheit: 3.5,
        ..Weather::default()
    });
    assert_round_trip(Defaults::default());
    assert_round_trip(Door::Opened);
    assert_round_trip(Door::Closed);
}
