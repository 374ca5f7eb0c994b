//! Record types that several topics use.

use std::time::Duration;

use aimdb_persistence::Persist;
use serde::{Deserialize, Serialize};

/// Long enough for no row of a test to expire.
pub const FOREVER: Duration = Duration::MAX;

/// A declared type with an event time, whose ring holds all that a test produces at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(
    key = "temperature.{station}",
    retention = "forever",
    buffer = "ring(65536)"
)]
pub struct Temperature {
    /// The measurement.
    pub celsius: f64,
    /// Unix milliseconds.
    #[persist(timestamp)]
    pub at: u64,
}

impl Temperature {
    /// The reading that a test can tell from the others by its time.
    pub fn at(at: u64) -> Self {
        Self {
            celsius: at as f64 / 10.0,
            at,
        }
    }
}

/// A type without a declaration, recorded with a plain `.persist(key)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading(
    /// What tells one reading from another.
    pub u64,
);
