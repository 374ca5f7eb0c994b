//! The moments of `time`.

use time::{OffsetDateTime, UtcDateTime};

use crate::declaration::event_time::EventTime;

impl EventTime for OffsetDateTime {
    fn unix_ms(&self) -> Option<u64> {
        u64::try_from(self.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
    }

    fn nanoseconds_within(&self) -> u32 {
        self.nanosecond() % 1_000_000
    }
}

impl EventTime for UtcDateTime {
    fn unix_ms(&self) -> Option<u64> {
        OffsetDateTime::from(*self).unix_ms()
    }

    fn nanoseconds_within(&self) -> u32 {
        self.nanosecond() % 1_000_000
    }
}
