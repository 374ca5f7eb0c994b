//! A marker of a type of another crate brings no warnings, and takes no name away.

#![no_implicit_prelude]
#![deny(warnings, missing_docs, unused, dead_code)]
#![allow(non_upper_case_globals)]

use ::aimdb_persistence::declare::RowTime;
use ::aimdb_persistence::{Declared, Field, Persist};
use ::aimdb_persistence_tests::contracts;
use ::std::{assert_eq, string::String};

#[allow(dead_code)]
const db: u8 = 1;
#[allow(dead_code)]
static builder: u8 = 2;
#[allow(dead_code)]
const station: u8 = 3;

#[derive(Persist)]
#[persist(for = "contracts::Temperature", key = "temperature.{station}", retention = "30d")]
#[serde(rename_all = "camelCase")]
struct TemperatureHistory {
    #[persist(deadband = 0.2)]
    air_celsius: f64,
    #[persist(timestamp = "s")]
    measured_at: u32,
}

#[derive(Persist)]
#[persist(for = "contracts::Pressure", key = "pressure", on_change)]
struct PressureHistory {
    #[persist(timestamp, getter = "contracts::Pressure::at")]
    at: u64,
}

#[derive(Persist)]
#[persist(for = "contracts::Door", key = "door")]
#[serde(tag = "type")]
#[non_exhaustive]
enum DoorHistory {
    Opened {
        by: String,
        #[persist(timestamp)]
        at: u64,
    },
    Closed {
        #[persist(timestamp)]
        at: u64,
    },
}

#[derive(Persist)]
#[persist(for = "contracts::Power<f64>", key = "power.{of}")]
struct PowerHistory(#[persist(deadband = 1)] f64, #[persist(timestamp)] u64);

/// Another declaration of the same type.
#[derive(Persist)]
#[persist(for = "contracts::Power<f64>", key = "raw")]
pub struct RawPower;

fn main() {
    assert_eq!(TemperatureHistory::series("sf").key(), "temperature.sf");
    let celsius: Field<contracts::Temperature, f64> = TemperatureHistory::fields().air_celsius;
    assert_eq!(::std::string::ToString::to_string(&celsius), "airCelsius");
    let value = contracts::Temperature {
        air_celsius: 1.0,
        place: ::std::option::Option::None,
        measured_at: 7,
    };
    assert_eq!(TemperatureHistory::event_time_of(&value), RowTime::At(7_000));
    let value = contracts::Pressure::new(1.0, 7);
    assert_eq!(PressureHistory::event_time_of(&value), RowTime::At(7));
    let value = contracts::Door::Closed { at: 7 };
    assert_eq!(DoorHistory::event_time_of(&value), RowTime::At(7));
    let value = contracts::Power(1.0, 7);
    assert_eq!(PowerHistory::event_time_of(&value), RowTime::At(7));
    assert_eq!(RawPower::event_time_of(&value), RowTime::Received);
    assert_eq!(RawPower::DECLARATION.type_name(), "RawPower");
    assert_eq!(PowerHistory::series(1).key(), "power.1");
    assert_eq!(PressureHistory::series().key(), "pressure");
    assert_eq!(DoorHistory::series().key(), "door");
}
