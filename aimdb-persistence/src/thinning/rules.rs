//! One record's policy and how far it has come: which values become rows, which are left out, and which wait for the
//! end of an interval.

use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aimdb_persistence_backend::Row;

use crate::declaration::policy::Policy;
use crate::thinning::gate::{Admission, Gate, Mark, Ticket, Verdict};
use crate::thinning::sample::Sample;

/// The policy of a record, and how far it has come.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    /// Where values hold their event time, which is no part of what `on_change` compares.
    pub(crate) event_time_fields: &'static [&'static str],
    version: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    gate: Gate<Waiting>,
    /// The interval under way, and since when.
    interval: Option<(u64, Instant)>,
    /// A timer is under way. Its interval may have ended meanwhile.
    has_timer: bool,
}

/// A row that waits for the end of its interval.
#[derive(Debug)]
struct Waiting {
    stored_at: u64,
    json: Box<str>,
}

/// Why a value that was judged becomes no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// The policy leaves it out.
    ByPolicy,
    /// There was no room for it.
    ForWantOfRoom,
}

/// What came of judging a value, and the one that waited before it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// Values that become no rows. The caller counts them after the gate's lock is released: whoever hears of a loss may
    /// ask for anything.
    pub(crate) left_out: Vec<LeftOut>,
    /// An interval is under way for which no timer runs.
    pub(crate) needs_timer: bool,
}

impl Rules {
    pub(crate) fn new(
        policy: Policy,
        event_time_fields: &'static [&'static str],
        version: u32,
    ) -> Self {
        Self {
            policy,
            event_time_fields,
            version,
            state: Mutex::new(State {
                gate: Gate::new(policy),
                interval: None,
                has_timer: false,
            }),
        }
    }

    /// Gives the value to `admit`, and one that waited before it, if they are to be stored. `admit` says whether there is
    /// room.
    pub(crate) fn judge(
        &self,
        now: Instant,
        stored_at: u64,
        json: &str,
        mut admit: impl FnMut(u64, &str, Option<Ticket>) -> bool,
    ) -> Judged {
        let mark = self.mark(stored_at, json);
        let mut state = self.lock();
        let waiting = || Waiting {
            stored_at,
            json: json.into(),
        };
        let Admission { released, verdict } = state.gate.admit(mark, waiting);
        let mut left_out = Vec::new();
        if let Some(released) = released {
            let (waited, verdict) = (released.value, released.verdict);
            left_out.extend(state.follow(verdict, waited.stored_at, &waited.json, &mut admit));
        }
        left_out.extend(state.follow(verdict, stored_at, json, &mut admit));
        state.note_interval(now);
        let needs_timer =
            state.interval.is_some() && !std::mem::replace(&mut state.has_timer, true);
        Judged {
            left_out,
            needs_timer,
        }
    }

    /// Ends the interval under way, if it is this one, or whichever it is: what waits goes to `admit`.
    pub(crate) fn end_interval(
        &self,
        which: Option<u64>,
        mut admit: impl FnMut(u64, &str, Option<Ticket>) -> bool,
    ) -> Option<LeftOut> {
        let mut state = self.lock();
        if which.is_some() && which != state.gate.interval() {
            return None;
        }
        let released = state.gate.end_interval()?;
        let (waited, verdict) = (released.value, released.verdict);
        state.follow(verdict, waited.stored_at, &waited.json, &mut admit)
    }

    /// What a timer has to wait for: the interval under way, and how much of its time is left. Without one there is no
    /// timer any more, and the next interval asks for one.
    pub(crate) fn time_left(&self, now: Instant) -> Option<(u64, Duration)> {
        let length = Duration::from_millis(self.policy.min_interval?.ms);
        self.lock().time_left(now, length)
    }

    fn mark(&self, stored_at: u64, json: &str) -> Mark {
        Mark {
            at_ms: stored_at,
            sample: Sample::of(json, &self.policy, self.event_time_fields),
        }
    }

    /// What was written as another version of the type looks different for that alone.
    fn mark_of_stored(&self, row: Row<'_>) -> Mark {
        let mut mark = self.mark(row.stored_at, row.json);
        if row.version.max(1) != self.version.max(1) {
            mark.sample = Sample::Unknown;
        }
        mark
    }

    pub(crate) fn settle(&self, ticket: Ticket, is_stored: bool) {
        self.lock().gate.settle(ticket, is_stored);
    }

    pub(crate) fn go_on_after(&self, stored: Option<Row<'_>>) {
        let stored = stored.map(|row| self.mark_of_stored(row));
        self.lock().gate.go_on_after(stored);
    }

    pub(crate) fn find(&self, stored: Row<'_>) {
        let stored = self.mark_of_stored(stored);
        self.lock().gate.find(stored);
    }

    pub(crate) fn forget(&self, times_ms: &RangeInclusive<u64>) {
        self.lock().gate.forget(times_ms);
    }

    /// The gate takes one step at a time, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Under the gate's lock, so that rows are admitted in the order of their verdicts.
    fn follow(
        &mut self,
        verdict: Verdict,
        stored_at: u64,
        json: &str,
        admit: &mut impl FnMut(u64, &str, Option<Ticket>) -> bool,
    ) -> Option<LeftOut> {
        match verdict {
            Verdict::Hold => None,
            Verdict::Suppress => Some(LeftOut::ByPolicy),
            Verdict::Store(ticket) => {
                if admit(stored_at, json, Some(ticket)) {
                    return None;
                }
                self.gate.settle(ticket, false);
                Some(LeftOut::ForWantOfRoom)
            }
        }
    }

    /// Takes note of when the interval under way began.
    fn note_interval(&mut self, now: Instant) {
        let under_way = self.gate.interval();
        if under_way != self.interval.map(|(interval, _)| interval) {
            self.interval = under_way.map(|interval| (interval, now));
        }
    }

    fn time_left(&mut self, now: Instant, length: Duration) -> Option<(u64, Duration)> {
        self.note_interval(now);
        self.has_timer = self.interval.is_some();
        let (interval, since) = self.interval?;
        let elapsed = now.saturating_duration_since(since);
        Some((interval, length.saturating_sub(elapsed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::policy::Keep;

    #[test]
    fn an_interval_is_timed_from_its_own_first_value() {
        let policy = Policy::new().min_interval_ms(1_000, Keep::Last);
        let rules = Rules::new(policy, &[], 0);
        let length = Duration::from_secs(1);
        let start = Instant::now();
        let began = |at_ms| {
            let now = start + Duration::from_millis(at_ms);
            let mut state = rules.lock();
            let waiting = || Waiting {
                stored_at: at_ms,
                json: "1".into(),
            };
            state.gate.admit(rules.mark(at_ms, "1"), waiting);
            state.note_interval(now);
            let later = now + Duration::from_millis(1);
            let (_, left) = state.time_left(later, length).expect("one is under way");
            assert!(left < length, "a part of it is over");
            state.interval
        };
        let first = began(0);
        assert_eq!(began(999), first, "the same interval");
        let (second, since) = began(1_000).expect("an interval is under way");
        assert!(first.is_some_and(|(first, began)| second > first && since > began));
    }
}
