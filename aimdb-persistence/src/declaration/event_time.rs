//! Event time: what a `#[persist(timestamp)]` field may be, and when it says that a value happened.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "time")]
mod time;

use std::time::{SystemTime, UNIX_EPOCH};

/// When a row happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowTime {
    /// The value does not say: it counts from when it was received.
    Received,
    /// At this time, in Unix milliseconds.
    At(u64),
    /// Within a millisecond: rows have whole ones, so that two times in it are one.
    Within {
        /// The millisecond, since 1970.
        ms: u64,
        /// What lies below it.
        nanoseconds: u32,
    },
    /// Before 1970, or beyond what can be stored: the row is counted as failed.
    Unrepresentable,
}

impl RowTime {
    /// The time that a `#[persist(timestamp)]` field holds.
    pub fn of(field: &impl EventTime) -> Self {
        match (field.unix_ms(), field.nanoseconds_within()) {
            (None, _) => Self::Unrepresentable,
            (Some(ms), 0) => Self::At(ms),
            (Some(ms), nanoseconds) => Self::Within { ms, nanoseconds },
        }
    }

    /// The time that a `#[persist(timestamp = "s")]` field holds, rounded down to the millisecond.
    pub fn since_1970(field: &impl IntegerTime, unit: TimeUnit) -> Self {
        let count = field.count();
        let ms = match unit {
            TimeUnit::Seconds => count.and_then(|count| count.checked_mul(1_000)),
            TimeUnit::Milliseconds => count,
            TimeUnit::Microseconds => count.map(|count| count / 1_000),
            TimeUnit::Nanoseconds => count.map(|count| count / 1_000_000),
        };
        ms.and_then(|ms| u64::try_from(ms).ok())
            .map_or(Self::Unrepresentable, Self::At)
    }
}

/// What the integer of a `#[persist(timestamp = "…")]` counts since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// `"s"`.
    Seconds,
    /// `"ms"`.
    Milliseconds,
    /// `"us"`.
    Microseconds,
    /// `"ns"`.
    Nanoseconds,
}

/// A type whose values say when something happened: what a `#[persist(timestamp)]` field may be.
///
/// Integers are Unix milliseconds. The features `jiff`, `chrono` and `time` add the types of these crates that mean a
/// moment: `jiff::Timestamp` and `ZonedDateTime`, `chrono::DateTime`, `time::OffsetDateTime` and `UtcDateTime`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a `#[persist(timestamp)]`",
    label = "this field is marked as the event time",
    note = "a timestamp is a `u64` or `i64` of Unix milliseconds, another integer with its unit, as in \
            `#[persist(timestamp = \"s\")]`, or a `std::time::SystemTime`",
    note = "the features `jiff`, `chrono` and `time` of `aimdb-persistence` add the types of these crates",
    note = "a type of your own may implement `aimdb_persistence::declare::EventTime`"
)]
pub trait EventTime {
    /// The time in Unix milliseconds, or `None` where it lies before 1970 or beyond what 64 bits hold.
    fn unix_ms(&self) -> Option<u64>;

    /// The nanoseconds of the time below its millisecond, which a row does not keep.
    fn nanoseconds_within(&self) -> u32 {
        0
    }
}

impl EventTime for u64 {
    fn unix_ms(&self) -> Option<u64> {
        Some(*self)
    }
}

impl EventTime for i64 {
    fn unix_ms(&self) -> Option<u64> {
        u64::try_from(*self).ok()
    }
}

impl EventTime for SystemTime {
    fn unix_ms(&self) -> Option<u64> {
        let since_epoch = self.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since_epoch.as_millis()).ok()
    }

    fn nanoseconds_within(&self) -> u32 {
        let since_epoch = self.duration_since(UNIX_EPOCH);
        since_epoch.map_or(0, |since| since.subsec_nanos() % 1_000_000)
    }
}

/// An integer that counts units of time since 1970: what a `#[persist(timestamp = "s")]` field may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a `#[persist(timestamp = \"…\")]`",
    label = "this field is marked as an event time that is counted in a unit",
    note = "a unit is for the integers `u32`, `i32`, `u64`, `i64`, `u128` and `i128`",
    note = "a time type knows its unit: write `#[persist(timestamp)]`"
)]
pub trait IntegerTime {
    /// `None` before 1970.
    #[doc(hidden)]
    fn count(&self) -> Option<u128>;
}

macro_rules! integer_times {
    ($($integer:ty),*) => {$(
        impl IntegerTime for $integer {
            fn count(&self) -> Option<u128> {
                u128::try_from(*self).ok()
            }
        }
    )*};
}

integer_times!(u32, i32, u64, i64, u128, i128);

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn event_times_before_1970_have_no_unix_milliseconds() {
        assert_eq!((-1_i64).unix_ms(), None);
        assert_eq!((UNIX_EPOCH - Duration::from_millis(1)).unix_ms(), None);
        assert_eq!((UNIX_EPOCH + Duration::from_millis(7)).unix_ms(), Some(7));
    }

    #[test]
    fn an_integer_counts_its_unit_and_is_rounded_down_to_the_millisecond() {
        use TimeUnit::{Microseconds, Milliseconds, Nanoseconds, Seconds};
        for (time, expected) in [
            (RowTime::since_1970(&7_u32, Seconds), 7_000),
            (RowTime::since_1970(&7_i32, Seconds), 7_000),
            (RowTime::since_1970(&7_u64, Milliseconds), 7),
            (RowTime::since_1970(&7_999_i64, Microseconds), 7),
            (RowTime::since_1970(&7_999_999_u128, Nanoseconds), 7),
            (RowTime::since_1970(&7_999_999_i128, Nanoseconds), 7),
            (RowTime::since_1970(&u64::MAX, Milliseconds), u64::MAX),
        ] {
            assert_eq!(time, RowTime::At(expected));
        }
    }

    #[test]
    fn an_integer_before_1970_or_beyond_64_bits_of_milliseconds_is_no_time() {
        use TimeUnit::{Microseconds, Milliseconds, Nanoseconds, Seconds};
        for time in [
            RowTime::since_1970(&-1_i64, Seconds),
            RowTime::since_1970(&-1_i64, Nanoseconds),
            RowTime::since_1970(&u64::MAX, Seconds),
            RowTime::since_1970(&u128::MAX, Seconds),
            RowTime::since_1970(&u128::MAX, Milliseconds),
            RowTime::since_1970(&u128::MAX, Microseconds),
        ] {
            assert_eq!(time, RowTime::Unrepresentable);
        }
    }
}
