//! The moments of `jiff`.

use jiff::{Timestamp, ZonedDateTime};

use crate::declaration::event_time::EventTime;

impl EventTime for Timestamp {
    fn unix_ms(&self) -> Option<u64> {
        u64::try_from(self.as_nanosecond().div_euclid(1_000_000)).ok()
    }

    fn nanoseconds_within(&self) -> u32 {
        self.as_nanosecond().rem_euclid(1_000_000) as u32
    }
}

impl EventTime for ZonedDateTime {
    fn unix_ms(&self) -> Option<u64> {
        self.timestamp().unix_ms()
    }

    fn nanoseconds_within(&self) -> u32 {
        self.timestamp().nanoseconds_within()
    }
}
