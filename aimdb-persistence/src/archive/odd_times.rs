//! Times of rows that are likely to be mistakes: far from the clock, or finer than a row can tell.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use aimdb_persistence_backend::Retention;

/// Which of them were reported of a record.
#[derive(Debug, Default)]
pub(crate) struct OddTimes {
    expired: AtomicBool,
    ahead: AtomicBool,
}

/// How a row's time is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OddTime {
    /// It is older than its retention as it arrives: the next sweep removes it.
    Expired,
    /// It lies further ahead of the clock than rows may.
    Ahead,
}

/// By what a time is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) now_ms: u64,
    pub(crate) max_ahead_ms: u64,
}

impl Clock {
    /// The last time that is not far ahead.
    pub(crate) fn latest_ms(self) -> u64 {
        self.now_ms.saturating_add(self.max_ahead_ms)
    }

    pub(crate) fn judge(self, stored_at: u64, retention: Retention) -> Option<OddTime> {
        if stored_at > self.latest_ms() {
            return Some(OddTime::Ahead);
        }
        let cutoff_ms = retention.cutoff_ms(self.now_ms)?;
        (stored_at < cutoff_ms).then_some(OddTime::Expired)
    }

    /// The mistake of unit that would explain the time; empty where none does.
    pub(crate) fn likely_mistake(self, stored_at: u64) -> &'static str {
        const YEAR_MS: u64 = 365 * 86_400_000;
        // A measurement of the last thirty years, or of the next.
        let is_plausible = |ms: u64| {
            ms.saturating_add(30 * YEAR_MS) >= self.now_ms
                && ms <= self.now_ms.saturating_add(YEAR_MS)
        };
        let in_seconds = stored_at.checked_mul(1_000);
        if in_seconds.is_some_and(is_plausible) {
            "; as seconds it would be of our time: `#[persist(timestamp = \"s\")]` counts them"
        } else if is_plausible(stored_at / 1_000) {
            "; as microseconds it would be of our time: `#[persist(timestamp = \"us\")]` counts them"
        } else if is_plausible(stored_at / 1_000_000) {
            "; as nanoseconds it would be of our time: `#[persist(timestamp = \"ns\")]` counts them"
        } else {
            ""
        }
    }
}

impl OddTimes {
    /// Whether this is the first of its kind.
    pub(crate) fn is_first(&self, odd: OddTime) -> bool {
        let told = match odd {
            OddTime::Expired => &self.expired,
            OddTime::Ahead => &self.ahead,
        };
        !told.load(Ordering::Relaxed) && !told.swap(true, Ordering::Relaxed)
    }
}

/// So many times are remembered: those of a burst.
const REMEMBERED: usize = 64;

/// Times with what lies below their millisecond.
#[derive(Debug, Default)]
pub(crate) struct FineTimes {
    recent: Mutex<VecDeque<(u64, u32)>>,
    told: AtomicBool,
}

impl FineTimes {
    /// Whether a row's time is the first that is taken for another one, from which it differs by less than a millisecond.
    pub(crate) fn collide(&self, stored_at: u64, below_ms: u32) -> bool {
        if self.told.load(Ordering::Relaxed) {
            return false;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let collides = recent
            .iter()
            .any(|(at, below)| *at == stored_at && *below != below_ms);
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        recent.push_back((stored_at, below_ms));
        collides && !self.told.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Clock = Clock {
        now_ms: 1_780_000_000_000,
        max_ahead_ms: 3_600_000,
    };

    #[test]
    fn the_unit_is_named_that_would_make_a_time_plausible() {
        for (time, mistake) in [
            (1_779_999_000, "seconds"),
            (1_779_999_000_123_456, "microseconds"),
            (1_779_999_000_123_456_789, "nanoseconds"),
        ] {
            let said = NOW.likely_mistake(time);
            assert!(said.contains(&format!("as {mistake} it")), "{time}: {said}");
        }
        for time in [0, 86_400_000, NOW.now_ms * 3, u64::MAX] {
            assert_eq!(NOW.likely_mistake(time), "", "{time}");
        }
    }

    #[test]
    fn a_time_is_odd_beyond_its_retention_and_beyond_what_a_clock_may_be_wrong_by() {
        let hour = Retention::Milliseconds(3_600_000);
        let judged = |time| NOW.judge(time, hour);
        assert_eq!(judged(NOW.now_ms - 3_600_000), None);
        assert_eq!(judged(NOW.now_ms - 3_600_001), Some(OddTime::Expired));
        assert_eq!(judged(NOW.now_ms + 3_600_000), None);
        assert_eq!(judged(NOW.now_ms + 3_600_001), Some(OddTime::Ahead));
        assert_eq!(NOW.judge(0, Retention::Forever), None);
        assert_eq!(
            NOW.judge(u64::MAX, Retention::Forever),
            Some(OddTime::Ahead)
        );
    }

    #[test]
    fn of_times_that_a_row_cannot_tell_apart_the_first_pair_is_told() {
        let times = FineTimes::default();
        assert!(!times.collide(5, 100));
        assert!(!times.collide(5, 100), "the same time");
        assert!(!times.collide(6, 200));
        assert!(times.collide(5, 200));
        assert!(!times.collide(5, 300), "told once");
    }
}
