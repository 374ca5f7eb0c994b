//! Whoever uses a deprecated type is warned; its own declaration is not a use.

#![deny(deprecated)]

use aimdb_persistence::{Declared, Persist, declare::RowTime};
use serde::{Deserialize, Serialize};

#[deprecated]
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    #[deprecated]
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "door")]
enum Door {
    #[deprecated]
    Opened(#[persist(timestamp)] u64),
}

#[allow(deprecated)]
fn main() {
    assert_eq!(Temperature { at: 7 }.event_time(), RowTime::At(7));
    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(Door::Opened(8).event_time(), RowTime::At(8));
}
