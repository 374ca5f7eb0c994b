//! A type's own methods stand beside the trait's, and come first.

use aimdb_persistence::{Declared, Persist, declare::RowTime};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    #[persist(timestamp)]
    at: u64,
}

impl Temperature {
    fn register() -> &'static str {
        "my register"
    }

    fn query_latest(&self) -> &'static str {
        "my query_latest"
    }

    fn query_range(&self) -> &'static str {
        "my query_range"
    }

    fn history() -> &'static str {
        "my history"
    }

    fn event_time(&self) -> &'static str {
        "my event_time"
    }

    fn key(&self) -> &'static str {
        "my key"
    }
}

fn main() {
    let temperature = Temperature { at: 7 };
    assert_eq!(Temperature::register(), "my register");
    assert_eq!(temperature.query_latest(), "my query_latest");
    assert_eq!(temperature.query_range(), "my query_range");
    assert_eq!(Temperature::history(), "my history");
    assert_eq!(temperature.event_time(), "my event_time");
    assert_eq!(temperature.key(), "my key");
    assert_eq!(Declared::event_time(&temperature), RowTime::At(7));
    assert_eq!(Temperature::series("sf").key(), "temperature.sf");
}
