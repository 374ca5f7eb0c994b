//! The moments of `jiff`.

use jiff::{Timestamp, ZonedDateTime};

use crate::declaration::event_time::EventTime;

impl EventTime for Timestamp {
    fn unix_ms(&self) -> Option<u64> {
        u64::try_from(self.as_nanosecond().div_euclid(1_000_000)).ok()
    }
}

impl EventTime for ZonedDateTime {
    fn unix_ms(&self) -> Option<u64> {
        self.timestamp().unix_ms()
    }
}
