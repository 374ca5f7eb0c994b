//! The expansion needs nothing in scope, and does not mind what is.

#![no_implicit_prelude]

#[derive(::std::clone::Clone, ::std::fmt::Debug, ::serde::Serialize, ::serde::Deserialize)]
#[derive(::aimdb_persistence::Persist)]
#[persist(key = "temperature.{station}", retention = "7d", buffer = "latest")]
struct Temperature {
    #[persist(timestamp)]
    at: u64,
}

#[derive(::std::clone::Clone, ::std::fmt::Debug, ::serde::Serialize, ::serde::Deserialize)]
#[derive(::aimdb_persistence::Persist)]
#[persist(key = "door")]
enum Door {
    Opened(#[persist(timestamp)] u64),
}

/// As many attributes as go together.
#[derive(::std::clone::Clone, ::std::fmt::Debug, ::serde::Serialize, ::serde::Deserialize)]
#[derive(::aimdb_persistence::Persist)]
#[persist(key = "meter", retention = "1y", keep_last = 1, max_rows = 9, min_interval = "1s", keep = "last")]
#[persist(max_silence = "1h", on_duplicate = "replace", restore = "1h", version = 3, migrate(.., MeterV2))]
struct Meter {
    #[persist(deadband = 0.5, unit = "kWh")]
    energy: f64,
    #[persist(timestamp = "ms")]
    at: u64,
    part: Part,
}

#[derive(::serde::Deserialize)]
struct MeterV2(f64);

impl ::std::convert::From<MeterV2> for Meter {
    fn from(MeterV2(energy): MeterV2) -> Self {
        Self { energy, at: 0, part: Part { number: 0 } }
    }
}

#[derive(::std::clone::Clone, ::std::fmt::Debug, ::serde::Serialize, ::serde::Deserialize)]
#[derive(::aimdb_persistence::Fields)]
struct Part {
    number: u8,
}

mod names_that_mean_something_else {
    #![allow(dead_code, non_camel_case_types, unused_macros)]

    struct Display;
    struct Result;
    struct Ok;
    struct Err;
    struct Series;
    struct Persist;
    struct Policy;
    struct HasFields;
    struct Field;
    mod core {}
    mod std {}
    mod aimdb_persistence {}
    macro_rules! panic {
        () => {};
    }

    #[derive(::std::clone::Clone, ::std::fmt::Debug, ::serde::Serialize, ::serde::Deserialize)]
    #[derive(::aimdb_persistence::Persist)]
    #[persist(key = "humidity.{self_}", retention = "7d", buffer = "ring(7)")]
    pub(super) struct Humidity {
        #[persist(timestamp)]
        pub(super) at: i64,
    }
}

fn main() {
    use ::aimdb_persistence::{Declared, Persist, declare::RowTime};
    use ::std::assert_eq;
    use ::std::string::ToString;

    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(Temperature { at: 7 }.event_time(), RowTime::At(7));
    assert_eq!(Door::series().key(), "door");
    assert_eq!(Door::Opened(8).event_time(), RowTime::At(8));
    assert_eq!(Meter { energy: 1.0, at: 7, part: Part { number: 1 } }.event_time(), RowTime::At(7));
    assert_eq!(Meter::fields().part.then(Part::fields().number).to_string(), "part.number");
    assert_eq!(Meter::from_stored(2, "7.5").unwrap().energy, 7.5);
    let humidity = names_that_mean_something_else::Humidity { at: 9 };
    assert_eq!(humidity.event_time(), RowTime::At(9));
}
