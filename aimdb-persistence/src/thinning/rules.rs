//! One record's policy and how far it has come: which values become rows, which are left out, and which wait for the
//! end of an interval.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aimdb_persistence_backend::Row;

use crate::declaration::field_path::FieldPath;
use crate::declaration::policy::Policy;
use crate::declaration::versions::version_in;
use crate::thinning::criteria::Criteria;
use crate::thinning::gate::{Admission, Gate, Settled, Ticket, Verdict, Way};
use crate::thinning::sample::{Mark, Sample};

/// By what a record's values are judged, and how far that has come.
#[derive(Debug)]
pub(crate) struct Rules {
    criteria: Arc<Criteria>,
    version: VersionOf,
    state: Mutex<State>,
}

/// Which version of its type a value is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VersionOf {
    /// What the type declares; 0 where it declares none.
    pub(crate) declared: u32,
    /// Where a stored value says so itself.
    pub(crate) field: Option<&'static str>,
}

#[derive(Debug)]
struct State {
    gate: Gate<Waiting>,
    /// The interval under way, and when its time is up.
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
    /// The value waits for the end of its interval.
    pub(crate) is_held: bool,
}

impl Rules {
    /// Fields that make no difference to `on_change`.
    pub(crate) fn apart(&self) -> &[FieldPath] {
        &self.criteria.apart
    }

    pub(crate) fn new(policy: &Policy, event_time: &[FieldPath], version: VersionOf) -> Self {
        let criteria = Arc::new(Criteria::new(policy, event_time));
        Self {
            version,
            state: Mutex::new(State {
                gate: Gate::new(Arc::clone(&criteria)),
                interval: None,
                has_timer: false,
            }),
            criteria,
        }
    }

    /// Gives the value to `admit`, and one that waited before it, if they are to be stored. `admit` says whether there is
    /// room.
    pub(crate) fn judge(
        &self,
        now: Instant,
        way: Way,
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
        let Admission { released, verdict } = state.gate.admit(mark, way, waiting);
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
            is_held: verdict == Verdict::Hold,
        }
    }

    /// Ends the interval under way, if it is this one, or whichever it is: what waits goes to `admit`.
    pub(crate) fn end_interval(
        &self,
        which: Option<u64>,
        way: Way,
        mut admit: impl FnMut(u64, &str, Option<Ticket>) -> bool,
    ) -> Option<LeftOut> {
        let mut state = self.lock();
        let under_way = state.gate.interval().map(|(interval, _)| interval);
        if which.is_some() && which != under_way {
            return None;
        }
        let released = state.gate.end_interval(way)?;
        let (waited, verdict) = (released.value, released.verdict);
        state.follow(verdict, waited.stored_at, &waited.json, &mut admit)
    }

    /// What a timer has to wait for: the interval under way, and how much of its time is left. Without one there is no
    /// timer any more, and the next interval asks for one.
    pub(crate) fn time_left(&self, now: Instant) -> Option<(u64, Duration)> {
        self.lock().time_left(now)
    }

    fn mark(&self, stored_at: u64, json: &str) -> Mark {
        Mark {
            at_ms: stored_at,
            sample: Sample::of(json, &self.criteria),
        }
    }

    /// What was written as another version of the type looks different for that alone.
    fn mark_of_stored(&self, row: Row<'_>) -> Mark {
        let mut mark = self.mark(row.stored_at, row.json);
        let version = version_in(self.version.field, row);
        if version.max(1) != self.version.declared.max(1) {
            mark.sample = Sample::Unknown;
        }
        mark
    }

    pub(crate) fn settle(&self, ticket: Ticket, settled: Settled) {
        self.lock().gate.settle(ticket, settled);
    }

    /// Learns the row that the backend has stored last, if there is one.
    pub(crate) fn learn(&self, stored: Option<Row<'_>>) {
        let stored = stored.map(|row| self.mark_of_stored(row));
        self.lock().gate.learn(stored);
    }

    /// It is not known which row the backend has stored last.
    pub(crate) fn doubt(&self) {
        self.lock().gate.doubt();
    }

    /// Whether the backend is to be asked which row it has stored last.
    pub(crate) fn are_to_learn(&self) -> bool {
        self.lock().gate.is_to_learn()
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
                self.gate.settle(ticket, Settled::NotStored);
                Some(LeftOut::ForWantOfRoom)
            }
        }
    }

    /// Takes note of when the time of the interval under way is up.
    fn note_interval(&mut self, now: Instant) {
        let under_way = self.gate.interval();
        if under_way.map(|(interval, _)| interval) != self.interval.map(|(interval, _)| interval) {
            let end = |left_ms| now.checked_add(Duration::from_millis(left_ms));
            self.interval =
                under_way.and_then(|(interval, left_ms)| Some((interval, end(left_ms)?)));
        }
    }

    fn time_left(&mut self, now: Instant) -> Option<(u64, Duration)> {
        self.note_interval(now);
        self.has_timer = self.interval.is_some();
        let (interval, end) = self.interval?;
        Some((interval, end.saturating_duration_since(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::policy::Keep;

    #[test]
    fn an_interval_is_timed_to_its_end_from_its_own_first_value() {
        let policy = Policy::new().min_interval_ms(1_000, Keep::Last);
        let version = VersionOf {
            declared: 0,
            field: None,
        };
        let rules = Rules::new(&policy, &[], version);
        let start = Instant::now();
        let value = |at_ms: u64| {
            let now = start + Duration::from_millis(at_ms);
            rules.judge(now, Way(0), at_ms, "1", |_, _, _| true);
            let later = now + Duration::from_millis(1);
            rules.time_left(later).expect("one is under way")
        };
        let (first, left) = value(300);
        assert_eq!(left, Duration::from_millis(699));
        assert_eq!(
            value(998),
            (first, Duration::from_millis(1)),
            "the same interval"
        );
        let (second, left) = value(1_250);
        assert!(second > first);
        assert_eq!(left, Duration::from_millis(749));
    }
}
