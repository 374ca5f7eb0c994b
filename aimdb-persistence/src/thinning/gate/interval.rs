//! Intervals of which one value is stored. They begin at the whole multiples of their length since 1970, so that a row a day
//! stays one a day: were each to begin with the row before, every clock that is set back would put it off.

use crate::declaration::policy::MinInterval;
use crate::thinning::sample::Mark;

/// An interval of which the last value is kept. It is there from its first value to its end.
#[derive(Debug)]
pub(crate) struct Interval<P> {
    pub(crate) began_ms: u64,
    pub(crate) last: Mark,
    pub(crate) value: P,
}

impl<P> Interval<P> {
    /// Whether a time does not lie before the interval.
    pub(crate) fn has_begun_by(&self, at_ms: u64, interval: Option<MinInterval>) -> bool {
        let length_ms = interval.map_or(1, |interval| interval.ms.max(1));
        at_ms / length_ms >= self.began_ms / length_ms
    }

    /// From its first value to its end.
    pub(crate) fn left_ms(&self, length_ms: u64) -> u64 {
        length_ms - self.began_ms % length_ms.max(1)
    }
}

/// Whether a value belongs to the interval of an earlier one. So does one of the interval before, by a clock that was set
/// back by less than an interval: that interval has had its row. After a greater leap the clock is taken at its word.
pub(crate) fn is_within(length_ms: u64, earlier_ms: u64, at_ms: u64) -> bool {
    let length_ms = length_ms.max(1);
    let is_set_back = at_ms < earlier_ms && earlier_ms - at_ms < length_ms;
    at_ms / length_ms == earlier_ms / length_ms || is_set_back
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 86_400_000;

    #[test]
    fn a_row_a_day_stays_one_a_day_over_changes_of_the_clock() {
        // Daily at eight, and the clock is set back and forth by up to an hour: by a server, or in spring and autumn.
        let eight = 8 * 3_600_000;
        let wrong_by = [0, -1, -1_000, 3_600_000, 0, -3_600_000, 250];
        let readings: Vec<_> = (0..)
            .zip(wrong_by)
            .map(|(day, wrong)| (day * DAY_MS + eight).checked_add_signed(wrong).unwrap())
            .collect();
        for pair in readings.windows(2) {
            assert!(!is_within(DAY_MS, pair[0], pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn an_interval_begins_at_a_multiple_of_its_length() {
        assert!(is_within(10, 10, 19));
        assert!(!is_within(10, 19, 20));
        assert!(is_within(10, 20, 19), "set back over its beginning");
        assert!(is_within(10, 20, 11));
        assert!(!is_within(10, 20, 10), "set back by an interval");
        assert!(
            !is_within(10, 10, 1_000_000),
            "a clock that was wrong silences nothing"
        );
        assert!(!is_within(10, 1_000_000, 10));
    }
}
