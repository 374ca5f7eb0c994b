//! A placeholder may share its segment with text.

use aimdb_persistence::{Declared, Persist};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "sensor-{id}.temp", buffer = "latest")]
struct Reading(f64);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "{building}-{floor}")]
struct Occupancy(u32);

fn main() {
    assert_eq!(Reading::series(7).key(), "sensor-7.temp");
    assert_eq!(Reading::DECLARATION.buffer(), Some(aimdb_persistence::declare::BufferKind::Latest));
    assert_eq!(Occupancy::series("main", 2).key(), "main-2");
}
