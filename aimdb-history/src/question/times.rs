//! Times as people write them, and as they are shown to them.

use aimdb_persistence_duration::{Purpose, parse_ms};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};

/// What times are read and shown by: a time zone, and the clock.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The zone of dates and times that name none.
    pub zone: TimeZone,
    /// What `now` is, in Unix milliseconds.
    pub now_ms: u64,
}

/// Which moment of a day is meant by a date alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Its first.
    Start,
    /// Its last.
    End,
}

impl Clock {
    /// The system's clock, in this zone.
    pub fn now(zone: TimeZone) -> Self {
        Self {
            zone,
            now_ms: unix_ms(Timestamp::now()),
        }
    }

    /// A time in one of the usual forms, in Unix milliseconds: `2026-11-28`, `2026-11-28T12:00`, the same with an offset
    /// or a zone, `now`, `-24h`, and Unix milliseconds.
    ///
    /// ```
    /// use aimdb_history::question::{Bound, Clock};
    /// use jiff::tz::TimeZone;
    ///
    /// let clock = Clock { zone: TimeZone::UTC, now_ms: 1_000_000_000_000 };
    /// assert_eq!(clock.parse("-1h", Bound::Start), Ok(999_996_400_000));
    /// assert_eq!(clock.parse("1970-01-02", Bound::Start), Ok(86_400_000));
    /// assert_eq!(clock.parse("1970-01-02", Bound::End), Ok(172_799_999));
    /// assert!(clock.parse("yesterday", Bound::Start).is_err());
    /// ```
    ///
    /// # Errors
    /// Says what could be written.
    pub fn parse(&self, text: &str, bound: Bound) -> Result<u64, String> {
        let text = text.trim();
        if text == "now" {
            return Ok(self.now_ms);
        }
        if let Some(length) = text
            .strip_prefix('-')
            .filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        {
            let length_ms = parse_ms(length, Purpose::Span).map_err(|error| error.to_string())?;
            return Ok(self.now_ms.saturating_sub(length_ms));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            if text.len() == 4 {
                return Err(format!("`{text}` may be a year: write `{text}-01-01`"));
            }
            return text
                .parse()
                .map_err(|_| format!("`{text}` is beyond all Unix milliseconds"));
        }
        self.of_calendar(text, bound).ok_or_else(|| {
            format!(
                "`{text}` is no time: write a date such as 2026-11-28, a time such as 2026-11-28T12:00, `now`, how long ago \
                 such as -24h, or Unix milliseconds"
            )
        })
    }

    fn of_calendar(&self, text: &str, bound: Bound) -> Option<u64> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(unix_ms(moment));
        }
        if text.contains('[')
            && let Ok(zoned) = text.parse::<ZonedDateTime>()
        {
            return Some(unix_ms(zoned.timestamp()));
        }
        let is_date = !text.contains(['T', 't', ' ', ':']);
        if is_date {
            let date: Date = text.parse().ok()?;
            return match bound {
                Bound::Start => self.unix_ms_of(date.to_datetime(jiff::civil::Time::midnight())),
                Bound::End => {
                    let next = date.checked_add(1.day()).ok()?;
                    let next = self.unix_ms_of(next.to_datetime(jiff::civil::Time::midnight()))?;
                    Some(next.saturating_sub(1))
                }
            };
        }
        self.unix_ms_of(text.parse().ok()?)
    }

    fn unix_ms_of(&self, time: DateTime) -> Option<u64> {
        let zoned = time.to_zoned_datetime(self.zone.clone()).ok()?;
        Some(unix_ms(zoned.timestamp()))
    }

    /// A time as people read it, in this zone: `2026-11-28 12:00:00`, with milliseconds where it has some.
    pub fn show(&self, ms: u64) -> String {
        let Some(moment) = moment(ms) else {
            return format!("{ms} ms");
        };
        let zoned = moment.to_zoned_datetime(self.zone.clone());
        let format = match ms % 1_000 {
            0 => "%Y-%m-%d %H:%M:%S",
            _ => "%Y-%m-%d %H:%M:%S.%3f",
        };
        zoned.strftime(format).to_string()
    }
}

/// A time as programs read it: RFC 3339 in UTC, with milliseconds. Times beyond the year 9999 stay Unix milliseconds.
pub fn rfc3339(ms: u64) -> String {
    match moment(ms) {
        Some(moment) => format!("{moment:.3}"),
        None => ms.to_string(),
    }
}

fn moment(ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()
}

fn unix_ms(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_millisecond()).unwrap_or(0)
}

/// A length of time as people read it: its largest unit, and the next where it matters.
pub fn show_length(ms: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (365 * 86_400_000, "y"),
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    let Some(index) = UNITS.iter().position(|(unit, _)| ms >= *unit) else {
        return format!("{ms}ms");
    };
    let (unit, name) = UNITS[index];
    let (whole, rest) = (ms / unit, ms % unit);
    match UNITS.get(index + 1) {
        Some((next, next_name)) if whole < 10 && rest >= *next => {
            format!("{whole}{name} {}{next_name}", rest / next)
        }
        _ => format!("{whole}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(zone: &str) -> Clock {
        Clock {
            zone: TimeZone::get(zone).expect("a known zone"),
            now_ms: 1_795_867_200_000, // 2026-11-28T12:00Z
        }
    }

    #[test]
    fn every_form_of_a_time_is_the_moment_it_says() {
        let vienna = clock("Europe/Vienna");
        for (text, expected) in [
            ("now", 1_795_867_200_000),
            ("-24h", 1_795_780_800_000),
            ("2026-11-28", 1_795_820_400_000),
            ("2026-11-28T12:00", 1_795_863_600_000),
            ("2026-11-28 12:00:30", 1_795_863_630_000),
            ("2026-11-28T12:00Z", 1_795_867_200_000),
            ("2026-11-28T12:00+01:00", 1_795_863_600_000),
            ("2026-11-28T12:00[America/Lima]", 1_795_885_200_000),
            ("1795867200000", 1_795_867_200_000),
        ] {
            assert_eq!(vienna.parse(text, Bound::Start), Ok(expected), "{text}");
        }
        // The day on which clocks are put back has 25 hours.
        let day = |bound| vienna.parse("2026-10-25", bound).unwrap();
        assert_eq!(day(Bound::End) - day(Bound::Start), 25 * 3_600_000 - 1);
    }

    #[test]
    fn what_is_no_time_is_told_with_what_could_be_written() {
        for (text, part) in [
            ("", "is no time"),
            ("2026", "may be a year"),
            ("2026-13-01", "is no time"),
            ("-24", "unit"),
            ("-", "is no time"),
            ("99999999999999999999999", "beyond"),
        ] {
            let error = clock("UTC").parse(text, Bound::Start).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn lengths_show_their_two_largest_units() {
        for (ms, shown) in [
            (5, "5ms"),
            (90_000, "1m 30s"),
            (3_600_000, "1h"),
            (86_400_000 * 30, "30d"),
            (86_400_000 * 400, "1y 35d"),
        ] {
            assert_eq!(show_length(ms), shown);
        }
        assert_eq!(clock("UTC").show(u64::MAX), "18446744073709551615 ms");
        assert_eq!(rfc3339(1_001), "1970-01-01T00:00:01.001Z");
    }
}
