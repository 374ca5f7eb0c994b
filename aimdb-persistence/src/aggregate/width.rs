//! How time is cut into buckets.

/// A unit of the calendar.
#[cfg(feature = "jiff")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first of a month to the first of the next.
    Month,
    /// From New Year to New Year.
    Year,
}

/// How long a bucket is.
#[derive(Debug, Clone)]
pub(crate) enum Width {
    /// In milliseconds, at least one.
    Fixed(u64),
    #[cfg(feature = "jiff")]
    Calendar(Calendar, jiff::tz::TimeZone),
}

impl Width {
    /// Of the bucket that a time lies in: its beginning and that of the next. `None` beyond the end of a calendar.
    pub(crate) fn bounds(&self, at_ms: u64) -> Option<(u64, u64)> {
        match self {
            Self::Fixed(width_ms) => {
                let start = at_ms - at_ms % width_ms;
                Some((start, start.saturating_add(*width_ms)))
            }
            #[cfg(feature = "jiff")]
            Self::Calendar(unit, zone) => unit.bounds(at_ms, zone).ok(),
        }
    }
}

#[cfg(feature = "jiff")]
impl Calendar {
    fn bounds(
        self,
        at_ms: u64,
        zone: &jiff::tz::TimeZone,
    ) -> Result<(u64, u64), Box<dyn std::error::Error>> {
        use jiff::ToSpan;
        let at = jiff::Timestamp::from_millisecond(i64::try_from(at_ms)?)?;
        let date = at.to_zoned_datetime(zone.clone()).date();
        let (start, length) = match self {
            Self::Day => (date, 1.day()),
            Self::Week => {
                let since_monday = date.weekday().to_monday_zero_offset();
                (date.checked_sub(i64::from(since_monday).days())?, 1.week())
            }
            Self::Month => (date.first_of_month(), 1.month()),
            Self::Year => (date.first_of_year(), 1.year()),
        };
        let in_ms = |date: jiff::civil::Date| -> Result<u64, Box<dyn std::error::Error>> {
            let at = date.to_zoned_datetime(zone.clone())?.timestamp();
            // The first bucket may begin before 1970.
            Ok(u64::try_from(at.as_millisecond()).unwrap_or(0))
        };
        Ok((in_ms(start)?, in_ms(start.checked_add(length)?)?))
    }
}
