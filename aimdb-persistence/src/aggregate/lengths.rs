//! Buckets of equal length, and the units of the calendar, which are not.

use aimdb_persistence_packed::statistics::Window;

/// A unit of the calendar.
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

pub(crate) const DAY_MS: u64 = 86_400_000;
pub(crate) const WEEK_MS: u64 = 7 * DAY_MS;
/// 1970 began on a Thursday.
const FIRST_MONDAY_MS: u64 = 4 * DAY_MS;

/// Whole weeks begin on a Monday, everything else is counted from 1970.
pub(crate) fn fixed(at_ms: u64, width_ms: u64, offset_ms: i64) -> Window {
    let width = i128::from(width_ms);
    let origin = match width_ms.is_multiple_of(WEEK_MS) {
        true => i128::from(FIRST_MONDAY_MS),
        false => 0,
    };
    let origin = origin - i128::from(offset_ms);
    let start = (i128::from(at_ms) - origin).div_euclid(width) * width + origin;
    let bound = |at: i128| u64::try_from(at.max(0)).unwrap_or(u64::MAX);
    Window {
        start_ms: bound(start),
        end_ms: bound(start + width),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    #[test]
    fn weeks_begin_on_monday_and_days_at_midnight_of_their_offset() {
        // 2024-03-06 12:00 UTC, a Wednesday.
        let wednesday = 1_709_726_400_000;
        // 2024-03-04 00:00 UTC.
        let monday = 1_709_510_400_000;
        let start = |width, offset| fixed(wednesday, width, offset).start_ms;
        assert_eq!(start(WEEK_MS, 0), monday);
        assert_eq!(start(DAY_MS, 0), monday + 2 * DAY_MS);
        // Midnight in New York lies five hours later, in Kathmandu five and three quarters earlier.
        assert_eq!(
            start(DAY_MS, -5 * 3_600_000),
            monday + 2 * DAY_MS + 5 * HOUR_MS
        );
        let kathmandu = 5 * 3_600_000 + 45 * 60_000;
        assert_eq!(start(HOUR_MS, kathmandu), wednesday - 45 * 60_000);
        assert_eq!(start(WEEK_MS, kathmandu), monday - kathmandu as u64);
    }

    #[test]
    fn the_first_week_began_before_1970_and_the_last_one_ends_with_time() {
        let first = fixed(0, WEEK_MS, 0);
        assert_eq!((first.start_ms, first.end_ms), (0, FIRST_MONDAY_MS));
        let last = fixed(u64::MAX, u64::MAX, 0);
        assert_eq!((last.start_ms, last.end_ms), (u64::MAX, u64::MAX));
        let before_last = fixed(u64::MAX - 1, u64::MAX, 0);
        assert_eq!((before_last.start_ms, before_last.end_ms), (0, u64::MAX));
    }
}
