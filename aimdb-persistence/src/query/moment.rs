//! Times and lengths of time as queries take them.

use std::time::{Duration, SystemTime};

use aimdb_persistence_duration::{Purpose, parse_ms};

use crate::aggregate::width::{Calendar, Width};
use crate::declaration::event_time::EventTime;
use crate::time::duration_ms;

/// A moment: a `u64` of Unix milliseconds, a [`SystemTime`], and with their features the times of other crates that mean a moment: `jiff::Timestamp` and
/// `ZonedDateTime`, `chrono::DateTime`, `time::OffsetDateTime` and `UtcDateTime`. Parts of a millisecond are cut off; what lies before 1970
/// is 1970.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a moment that a query can begin or end at",
    label = "this is to be a time",
    note = "a moment is a `u64` of Unix milliseconds or a `std::time::SystemTime`",
    note = "the features `jiff`, `chrono` and `time` of `aimdb-persistence` add the times of these crates that mean a moment"
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

/// Of what event times may be, too.
macro_rules! moments {
    ($($(#[$feature:meta])? [$($of:tt)*] $moment:ty;)*) => {$(
        $(#[$feature])?
        impl<$($of)*> Moment for $moment {
            fn into_unix_ms(self) -> u64 {
                EventTime::unix_ms(&self).unwrap_or(0)
            }
        }

        $(#[$feature])?
        impl<$($of)*> Moment for &$moment {
            fn into_unix_ms(self) -> u64 {
                EventTime::unix_ms(self).unwrap_or(0)
            }
        }
    )*};
}

moments! {
    [] SystemTime;
    #[cfg(feature = "jiff")]
    [] jiff::Timestamp;
    #[cfg(feature = "jiff")]
    [] jiff::ZonedDateTime;
    #[cfg(feature = "chrono")]
    [Tz: chrono::TimeZone] chrono::DateTime<Tz>;
    #[cfg(feature = "time")]
    [] time::OffsetDateTime;
    #[cfg(feature = "time")]
    [] time::UtcDateTime;
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

    /// The same of a bucket, which a calendar may be meant by.
    ///
    /// # Errors
    /// Says what to write instead.
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

/// The time zone of a calendar: `jiff::tz::TimeZone`, or the name of one, such as `"Europe/Vienna"`. With the feature `jiff`, that is;
/// without it, there is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time zone that calendar buckets can follow",
    label = "this is to be a time zone",
    note = "calendars need the feature `jiff` of `aimdb-persistence`: then it is a `jiff::tz::TimeZone`, or the name of one, such as \
            \"Europe/Vienna\"",
    note = "without it there are `every(\"1d\")` and `utc_offset_minutes(…)`"
)]
pub trait CalendarZone {
    /// # Errors
    /// If there is no such time zone.
    #[doc(hidden)]
    fn calendar(self, unit: Calendar) -> Result<Width, String>;

    /// # Errors
    /// If there is no such time zone.
    #[doc(hidden)]
    fn lengths(self, width_ms: u64) -> Result<Width, String>;
}

#[cfg(feature = "jiff")]
impl CalendarZone for jiff::tz::TimeZone {
    fn calendar(self, unit: Calendar) -> Result<Width, String> {
        Ok(Width::Calendar(unit, self))
    }

    fn lengths(self, width_ms: u64) -> Result<Width, String> {
        Ok(Width::Zoned(width_ms, self))
    }
}

#[cfg(feature = "jiff")]
impl CalendarZone for &str {
    fn calendar(self, unit: Calendar) -> Result<Width, String> {
        zone_of(self)?.calendar(unit)
    }

    fn lengths(self, width_ms: u64) -> Result<Width, String> {
        zone_of(self)?.lengths(width_ms)
    }
}

#[cfg(feature = "jiff")]
fn zone_of(name: &str) -> Result<jiff::tz::TimeZone, String> {
    jiff::tz::TimeZone::get(name).map_err(|error| error.to_string())
}
