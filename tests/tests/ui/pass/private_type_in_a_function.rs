//! A type that nobody else can see, and that uses nothing of what is made for it.

#![deny(warnings, dead_code)]

use aimdb_persistence::{Declared, Persist};
use serde::{Deserialize, Serialize};

fn key() -> String {
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "temperature.{station}")]
    struct Temperature {
        #[persist(timestamp)]
        at: u64,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "humidity")]
    struct Humidity(f64);

    let _ = (Temperature { at: 7 }.at, Humidity(0.5).0);
    Temperature::DECLARATION.template().to_owned()
}

fn main() {
    assert_eq!(key(), "temperature.{station}");
}
