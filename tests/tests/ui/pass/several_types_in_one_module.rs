//! Nothing that is made for one type stands in the way of another's.

use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature(f64);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "humidity.{station}")]
struct Humidity(f64);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "pressure")]
struct Pressure;

/// Generic code over all of them.
fn templates<A: Persist, B: Persist, C: Persist>() -> [&'static str; 3] {
    [A::DECLARATION, B::DECLARATION, C::DECLARATION].map(|declaration| declaration.template())
}

fn main() {
    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(Humidity::series("sf").key(), "humidity.sf");
    assert_eq!(Pressure::series().key(), "pressure");
    assert_eq!(
        templates::<Temperature, Humidity, Pressure>(),
        ["temperature.{station}", "humidity.{station}", "pressure"]
    );
}
