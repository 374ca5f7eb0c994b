//! Buckets by the clocks and the calendar of a time zone.

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Error, Span, Timestamp, ToSpan};

use crate::aggregate::lengths::{Calendar, DAY_MS, WEEK_MS, fixed};
use aimdb_persistence_packed::statistics::Window;

/// The unit of the calendar that a time lies in.
pub(crate) fn bucket(at_ms: u64, unit: Calendar, zone: &TimeZone) -> Result<Window, Error> {
    let date = day_of(at_ms, zone)?;
    let (start, length) = match unit {
        Calendar::Day => (date, 1.day()),
        Calendar::Week => {
            let since_monday = date.weekday().to_monday_zero_offset();
            (date.checked_sub(i64::from(since_monday).days())?, 1.week())
        }
        Calendar::Month => (date.first_of_month(), 1.month()),
        Calendar::Year => (date.first_of_year(), 1.year()),
    };
    window(start, start.checked_add(length)?, zone)
}

/// A bucket of a length that the user has written. Whole days are those of the calendar; parts of a day are counted from its midnight, by
/// the clocks; those of an hour and below by the clocks' distance from UTC.
pub(crate) fn bucket_of_length(
    at_ms: u64,
    width_ms: u64,
    zone: &TimeZone,
) -> Result<Window, Error> {
    let epoch = Date::constant(1970, 1, 1);
    if width_ms.is_multiple_of(DAY_MS) {
        let date = day_of(at_ms, zone)?;
        let days = i64::from(epoch.until(date)?.get_days());
        let length = i64::try_from(width_ms / DAY_MS).unwrap_or(i64::MAX);
        // 1970 began on a Thursday.
        let origin = if width_ms.is_multiple_of(WEEK_MS) {
            4
        } else {
            0
        };
        let start = (days - origin).div_euclid(length) * length + origin;
        let start = epoch.checked_add(Span::new().try_days(start)?)?;
        return window(
            start,
            start.checked_add(Span::new().try_days(length)?)?,
            zone,
        );
    }
    let offset_ms = |at_ms: u64| {
        let at = timestamp(at_ms)?;
        Ok::<_, Error>(i64::from(zone.to_offset(at).seconds()) * 1_000)
    };
    if width_ms <= 3_600_000 || !DAY_MS.is_multiple_of(width_ms) {
        return Ok(fixed(at_ms, width_ms, offset_ms(at_ms)?));
    }
    let day = day_of(at_ms, zone)?;
    let midnight = start_of(day, zone)?;
    let next_midnight = start_of(day.checked_add(1.day())?, zone)?;
    // By the clocks, of which an hour may be missing, or come twice.
    let by_clock = |part: u64| {
        let part_ms = i64::try_from(part * width_ms).unwrap_or(i64::MAX);
        let at = day
            .to_datetime(jiff::civil::Time::midnight())
            .checked_add(part_ms.milliseconds())?;
        Ok::<_, Error>(unix_ms(
            zone.to_ambiguous_zoned_datetime(at)
                .compatible()?
                .timestamp(),
        ))
    };
    let (mut start_ms, mut end_ms) = (midnight, next_midnight);
    for part in 1..DAY_MS / width_ms {
        let bound = by_clock(part)?.clamp(midnight, next_midnight);
        if bound <= at_ms {
            start_ms = bound;
        } else {
            end_ms = bound;
            break;
        }
    }
    Ok(Window { start_ms, end_ms })
}

fn window(start: Date, end: Date, zone: &TimeZone) -> Result<Window, Error> {
    Ok(Window {
        start_ms: start_of(start, zone)?,
        end_ms: start_of(end, zone)?,
    })
}

/// The day that a time lies in: its date, but for the minutes past a midnight that comes twice.
fn day_of(at_ms: u64, zone: &TimeZone) -> Result<Date, Error> {
    let date = zone.to_datetime(timestamp(at_ms)?).date();
    match start_of(date, zone)? > at_ms {
        true => date.yesterday(),
        false => Ok(date),
    }
}

/// The moment from which on it is this date: midnight, or the end of the hour that is left out there. Where clocks are put back across midnight, so that
/// it is the day before once more, it is the second one.
fn start_of(date: Date, zone: &TimeZone) -> Result<u64, Error> {
    let midnight =
        || zone.to_ambiguous_zoned_datetime(date.to_datetime(jiff::civil::Time::midnight()));
    let (earlier, later) = match midnight().is_ambiguous() {
        false => return Ok(unix_ms(midnight().compatible()?.timestamp())),
        true => (midnight().earlier()?, midnight().later()?),
    };
    if matches!(midnight().offset(), AmbiguousOffset::Gap { .. }) {
        return Ok(unix_ms(later.timestamp()));
    }
    let just_before = later.timestamp().checked_sub(1.millisecond())?;
    let is_day_before = zone.to_datetime(just_before).date() < date;
    Ok(unix_ms(
        if is_day_before { later } else { earlier }.timestamp(),
    ))
}

fn timestamp(at_ms: u64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(i64::try_from(at_ms).unwrap_or(i64::MAX))
}

/// The first bucket may begin before 1970.
fn unix_ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}
