//! The moments of `chrono`.

use chrono::{DateTime, TimeZone};

use crate::declaration::event_time::EventTime;

impl<Tz: TimeZone> EventTime for DateTime<Tz> {
    fn unix_ms(&self) -> Option<u64> {
        u64::try_from(self.timestamp_millis()).ok()
    }

    fn nanoseconds_within(&self) -> u32 {
        self.timestamp_subsec_nanos() % 1_000_000
    }
}
