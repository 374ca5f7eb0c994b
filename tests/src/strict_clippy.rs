//! Clippy has nothing to say of what the macros write.
//!
//! `cargo clippy` finds nothing here, although all of its lints are on, for public types of every shape. Those that are
//! off are about what a user writes here.

#![deny(clippy::pedantic, clippy::nursery, clippy::restriction)]
#![allow(
    missing_docs,
    clippy::arbitrary_source_item_ordering,
    clippy::blanket_clippy_restriction_lints,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::implicit_return,
    clippy::missing_docs_in_private_items,
    clippy::missing_inline_in_public_items,
    reason = "these are about the types themselves"
)]

use aimdb_persistence::{Fields, Persist};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "temperature.{Station}.{id}",
    retention = "7d",
    max_silence = "1h",
    restore = "1h"
)]
#[persist(version = 3, migrate(.., TemperatureV2))]
pub struct Temperature {
    #[persist(deadband = 0.2, unit = "°C")]
    pub celsius: f64,
    #[persist(timestamp = "s")]
    pub at: u64,
    pub wind: Wind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TemperatureV2(f64);

impl From<TemperatureV2> for Temperature {
    fn from(TemperatureV2(celsius): TemperatureV2) -> Self {
        let wind = Wind { gust: 0.0 };
        Self {
            celsius,
            at: 0,
            wind,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Fields)]
pub struct Wind {
    pub gust: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "uptime", on_change, buffer = "ring(16)", retention = "forever")]
pub struct Uptime(pub u64, #[persist(ignore)] pub u8);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "door.{number}",
    min_interval = "10s",
    keep = "last",
    max_rows = 1_000
)]
pub enum Door {
    Opened(#[persist(timestamp)] u64),
    Closed {
        #[persist(timestamp = "us")]
        at: i64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "generic.{N}", on_duplicate = "replace")]
pub struct Generic<T, const N: usize> {
    pub value: T,
    #[persist(timestamp)]
    pub at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "unit")]
pub struct Unit;

#[derive(Persist)]
#[persist(for = "crate::contracts::Pressure", key = "pressure.{boiler}")]
pub struct PressureHistory {
    #[persist(deadband = 0.1, getter = "crate::contracts::Pressure::bar")]
    pub bar: f64,
    #[persist(timestamp, getter = "crate::contracts::Pressure::at")]
    pub at: u64,
}

#[derive(Persist)]
#[persist(for = "crate::contracts::Door", key = "contracted.door")]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum DoorHistory {
    Opened {
        #[persist(timestamp)]
        at: u64,
    },
    Closed {
        #[persist(timestamp)]
        at: u64,
    },
}
