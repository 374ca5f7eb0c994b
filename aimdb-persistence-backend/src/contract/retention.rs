//! How long rows are kept.

use std::time::Duration;

use serde::Serialize;

/// How long the rows of a series are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Retention {
    /// Rows are never removed for their age.
    Forever,
    /// Rows older than this many milliseconds are removed.
    Milliseconds(u64),
}

impl Retention {
    /// The time before which rows have expired at `now_ms`, if any have.
    ///
    /// ```
    /// use aimdb_persistence_backend::Retention;
    ///
    /// assert_eq!(Retention::Milliseconds(90_000).cutoff_ms(100_000), Some(10_000));
    /// assert_eq!(Retention::Milliseconds(90_000).cutoff_ms(5_000), None);
    /// assert_eq!(Retention::Forever.cutoff_ms(u64::MAX), None);
    /// ```
    pub fn cutoff_ms(self, now_ms: u64) -> Option<u64> {
        match self {
            Self::Forever => None,
            Self::Milliseconds(length) => now_ms.checked_sub(length),
        }
    }

    /// The longer of two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        match (self, other) {
            (Self::Milliseconds(a), Self::Milliseconds(b)) => Self::Milliseconds(a.max(b)),
            _ => Self::Forever,
        }
    }
}

/// A duration too long for 64 bits of milliseconds, `Duration::MAX` for one, means for ever.
impl From<Duration> for Retention {
    fn from(length: Duration) -> Self {
        u64::try_from(length.as_millis()).map_or(Self::Forever, Self::Milliseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_beyond_64_bits_of_milliseconds_is_for_ever() {
        assert_eq!(Retention::from(Duration::MAX), Retention::Forever);
        assert_eq!(
            Retention::from(Duration::from_secs(60)),
            Retention::Milliseconds(60_000)
        );
        assert_eq!(
            Retention::Forever.max(Retention::Milliseconds(1)),
            Retention::Forever
        );
    }
}
