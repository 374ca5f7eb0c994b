//! Times and lengths of time as queries take them.

use std::time::{Duration, SystemTime};

use aimdb_persistence_duration::{Purpose, parse_ms};

use crate::declaration::event_time::EventTime;
use crate::time::duration_ms;

/// A moment: a `u64` of Unix milliseconds, a [`SystemTime`], and with the feature `jiff` a `jiff::Timestamp` and a
/// `jiff::ZonedDateTime`. What lies before 1970 is 1970.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a moment that a query can begin or end at",
    label = "this is to be a time",
    note = "a moment is a `u64` of Unix milliseconds or a `std::time::SystemTime`; the feature `jiff` adds `jiff::Timestamp` \
            and `jiff::ZonedDateTime`"
)]
pub trait Moment {
    /// In Unix milliseconds.
    fn into_unix_ms(self) -> u64;
}

impl Moment for u64 {
    fn into_unix_ms(self) -> u64 {
        self
    }
}

impl Moment for SystemTime {
    fn into_unix_ms(self) -> u64 {
        EventTime::unix_ms(&self).unwrap_or(0)
    }
}

#[cfg(feature = "jiff")]
impl Moment for jiff::Timestamp {
    fn into_unix_ms(self) -> u64 {
        u64::try_from(self.as_millisecond()).unwrap_or(0)
    }
}

#[cfg(feature = "jiff")]
impl Moment for &jiff::ZonedDateTime {
    fn into_unix_ms(self) -> u64 {
        self.timestamp().into_unix_ms()
    }
}

#[cfg(feature = "jiff")]
impl Moment for jiff::ZonedDateTime {
    fn into_unix_ms(self) -> u64 {
        self.timestamp().into_unix_ms()
    }
}

/// A length of time: a text such as `"24h"`, with one of the units `ms`, `s`, `m` (minutes), `h`, `d`, `w` and `y` (365 days), or
/// a [`Duration`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a length of time",
    label = "this is to be a length of time",
    note = "write a text such as \"24h\", or a `std::time::Duration`"
)]
pub trait TimeSpan {
    /// In milliseconds.
    ///
    /// # Errors
    /// Says what to write instead.
    #[doc(hidden)]
    fn length_ms(self) -> Result<u64, String>;

    /// As the width of buckets, in milliseconds.
    ///
    /// # Errors
    /// Says what to write instead: months and years differ in length.
    #[doc(hidden)]
    fn bucket_ms(self) -> Result<u64, String>
    where
        Self: Sized,
    {
        self.length_ms()
    }
}

impl TimeSpan for &str {
    fn length_ms(self) -> Result<u64, String> {
        parse_ms(self, Purpose::Span).map_err(|error| error.to_string())
    }

    fn bucket_ms(self) -> Result<u64, String> {
        parse_ms(self, Purpose::BucketWidth).map_err(|error| error.to_string())
    }
}

impl TimeSpan for &String {
    fn length_ms(self) -> Result<u64, String> {
        parse_ms(self, Purpose::Span).map_err(|error| error.to_string())
    }

    fn bucket_ms(self) -> Result<u64, String> {
        parse_ms(self, Purpose::BucketWidth).map_err(|error| error.to_string())
    }
}

impl TimeSpan for Duration {
    fn length_ms(self) -> Result<u64, String> {
        Ok(duration_ms(self))
    }
}
