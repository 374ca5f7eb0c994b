//! Types as a crate of data contracts has them: nothing of them is declared there, and they cannot be changed here.

use serde::{Deserialize, Serialize};

/// A struct, whose names in the JSON are others than in the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Temperature {
    /// The measurement.
    pub air_celsius: f64,
    /// Where it was measured.
    pub place: Option<String>,
    /// Unix seconds.
    pub measured_at: u32,
}

/// A struct that shows its fields through functions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    bar: f64,
    at: u64,
}

impl Pressure {
    /// Measured at this time in Unix milliseconds.
    pub fn new(bar: f64, at: u64) -> Self {
        Self { bar, at }
    }

    /// The measurement.
    pub fn bar(&self) -> f64 {
        self.bar
    }

    /// Unix milliseconds.
    pub fn at(&self) -> &u64 {
        &self.at
    }
}

/// An enum that may get further variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Door {
    /// It stands open.
    Opened {
        /// Who opened it.
        by: String,
        /// Unix milliseconds.
        at: u64,
    },
    /// It is closed.
    Closed {
        /// Unix milliseconds.
        at: u64,
    },
}

/// A tuple with a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Power<T>(pub T, pub u64);
