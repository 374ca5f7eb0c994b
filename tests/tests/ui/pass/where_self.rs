//! A type may bound itself.

use aimdb_persistence::{Fields, Persist};
use serde::{Deserialize, Serialize};

trait Checked {}

impl Checked for Temperature {}
impl<T: PartialEq> Checked for Generic<T> {}
impl Checked for Wind {}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", on_change)]
struct Temperature
where
    Self: Checked + Sized,
{
    celsius: f64,
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "generic")]
struct Generic<T>(T, u8)
where
    Self: Checked,
    T: PartialEq;

#[derive(Clone, Debug, Serialize, Deserialize, Fields)]
struct Wind
where
    Self: Checked,
{
    gust: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "door")]
enum Door
where
    Self: Sized,
{
    Opened,
}

fn main() {
    assert_eq!(Temperature::fields().celsius.to_string(), "celsius");
    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(Generic::<u8>::fields().1.to_string(), "1");
    assert_eq!(Generic::<u8>::series().key(), "generic");
    assert_eq!(Wind::fields().gust.to_string(), "gust");
    assert_eq!(Door::series().key(), "door");
    let _ = Door::Opened;
}
