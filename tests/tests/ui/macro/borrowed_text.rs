use aimdb_persistence::Persist;
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Clone, Debug, Serialize, Persist)]
#[persist(key = "temperature")]
struct Temperature {
    unit: &'static str,
    history: Vec<(&'static [f64], Option<&'static Calibration>)>,
    #[serde(skip)]
    fine: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Calibration;

/// The derived one would have the compiler complain, too, in its own words.
impl<'de> Deserialize<'de> for Temperature {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("nothing is lent to it"))
    }
}

fn main() {}
