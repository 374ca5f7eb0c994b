//! The types that a timestamp may have.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aimdb_persistence::{Declared, Persist, declare::{EventTime, RowTime}};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "unsigned")]
struct Unsigned {
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "signed")]
struct Signed(f64, #[persist(timestamp)] i64);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "system")]
struct System {
    #[persist(timestamp)]
    #[serde(rename = "when")]
    at: SystemTime,
}

/// Whatever implements `EventTime` will do.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seconds(u64);

impl EventTime for Seconds {
    fn unix_ms(&self) -> Option<u64> {
        self.0.checked_mul(1_000)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "own")]
struct Own {
    #[persist(timestamp)]
    at: Seconds,
}

fn main() {
    assert_eq!(Unsigned { at: 7 }.event_time(), RowTime::At(7));
    assert_eq!(Signed(1.0, 7).event_time(), RowTime::At(7));
    assert_eq!(Signed(1.0, -7).event_time(), RowTime::Unrepresentable);
    let at = UNIX_EPOCH + Duration::from_millis(7);
    assert_eq!(System { at }.event_time(), RowTime::At(7));
    assert_eq!(Own { at: Seconds(7) }.event_time(), RowTime::At(7_000));
}
