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

mod names_that_mean_something_else {
    #![allow(dead_code, non_camel_case_types, unused_macros)]

    struct Display;
    struct Result;
    struct Ok;
    struct Err;
    struct Series;
    struct Persist;
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
    use ::aimdb_persistence::{Persist, RowTime};
    use ::std::assert_eq;

    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(Temperature { at: 7 }.event_time(), RowTime::At(7));
    assert_eq!(Door::series().key(), "door");
    assert_eq!(Door::Opened(8).event_time(), RowTime::At(8));
    let humidity = names_that_mean_something_else::Humidity { at: 9 };
    assert_eq!(humidity.event_time(), RowTime::At(9));
}
