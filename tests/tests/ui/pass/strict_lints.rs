//! The expansion is no business of the user's lints.

#![deny(warnings, missing_docs, dead_code, non_snake_case, unused_qualifications)]
#![deny(unreachable_pub, single_use_lifetimes, unused_lifetimes, missing_debug_implementations)]
#![deny(rust_2018_idioms, rust_2024_compatibility, unused_parens, unused_braces, unused_results)]
#![forbid(unsafe_code)]

use aimdb_persistence::{Declared, Persist, declare::RowTime};
use serde::{Deserialize, Serialize};

/// A module that is public.
pub mod weather {
    use aimdb_persistence::{Fields, Persist};
    use serde::{Deserialize, Serialize};

    /// A type that is public.
    #[allow(non_snake_case, dead_code)]
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "temperature.{Station}", crate = "::aimdb_persistence")]
    #[persist(on_change, max_silence = "1h", restore, version = 2, migrate(Wind))]
    pub struct Temperature {
        /// Unix milliseconds.
        #[persist(timestamp)]
        pub at: u64,
        /// A part of it.
        pub wind: Wind,
        unUsed: u8,
    }

    impl Temperature {
        /// A temperature at a time.
        pub fn at(at: u64) -> Self {
            Self { at, wind: Wind { gust: 0.0 }, unUsed: 0 }
        }
    }

    impl From<Wind> for Temperature {
        fn from(wind: Wind) -> Self {
            Self { wind, ..Self::at(0) }
        }
    }

    /// A part of a record.
    #[derive(Clone, Debug, Serialize, Deserialize, Fields)]
    pub struct Wind {
        /// Its strength.
        pub gust: f64,
    }

    /// A generic type that is public.
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "generic")]
    pub struct Generic<T> {
        /// Any value.
        pub value: T,
    }
}

/// An enum with variants and fields of all kinds.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "door.{ID}", retention = "7d", buffer = "latest")]
pub enum Door {
    /// Opened at.
    Opened(#[persist(timestamp)] u64),
    /// Closed by somebody.
    Closed {
        /// Who it was.
        by: String,
        /// Unix milliseconds.
        #[persist(timestamp)]
        at: i64,
    },
}

fn main() {
    assert_eq!(weather::Temperature::series("sf").key(), "temperature.sf");
    assert_eq!(weather::Temperature::at(7).event_time(), RowTime::At(7));
    assert_eq!(weather::Generic { value: 1_u8 }.event_time(), RowTime::Received);
    let gust = weather::Temperature::fields().wind.then(weather::Wind::fields().gust);
    assert_eq!(gust.to_string(), "wind.gust");
    assert_eq!(Door::Opened(8).event_time(), RowTime::At(8));
    assert_eq!(weather::Generic::<u8>::series().key(), "generic");
}
