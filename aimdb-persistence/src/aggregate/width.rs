//! How time is cut into buckets.

#[cfg(feature = "jiff")]
use crate::aggregate::lengths::Calendar;
use crate::aggregate::lengths::fixed;
#[cfg(feature = "jiff")]
use crate::aggregate::zone;
use aimdb_persistence_packed::statistics::Window;

/// How long a bucket is, and where it begins. Opaque.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub enum Width {
    /// Of so many milliseconds, at least one, from a time that is so far east of UTC.
    Fixed { width_ms: u64, offset_ms: i64 },
    /// The same by the clocks of a time zone.
    #[cfg(feature = "jiff")]
    Zoned(u64, jiff::tz::TimeZone),
    #[cfg(feature = "jiff")]
    Calendar(Calendar, jiff::tz::TimeZone),
}

impl Width {
    /// The bucket that a time lies in; `None` beyond the end of a calendar. The first one may begin before 1970, which
    /// nothing is stored of.
    pub(crate) fn bucket(&self, at_ms: u64) -> Option<Window> {
        match self {
            Self::Fixed {
                width_ms,
                offset_ms,
            } => Some(fixed(at_ms, *width_ms, *offset_ms)),
            #[cfg(feature = "jiff")]
            Self::Zoned(width_ms, zone) => zone::bucket_of_length(at_ms, *width_ms, zone).ok(),
            #[cfg(feature = "jiff")]
            Self::Calendar(unit, zone) => zone::bucket(at_ms, *unit, zone).ok(),
        }
    }
}
