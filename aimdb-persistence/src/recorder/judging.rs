//! What one record's policy decides in the recorder: which values go into the backlog, which are left out, and which
//! wait for the end of an interval.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_lock::OnceCell;

use crate::archive::record::RecordState;
use crate::archive::stats::Outcome;
use crate::contract::rows::Row;
use crate::declaration::policy::Policy;
use crate::recorder::Recorder;
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
    pub(crate) learnt: OnceCell<()>,
}

#[derive(Debug)]
struct State {
    gate: Gate<Waiting>,
    /// The interval under way, and since when.
    interval: Option<(u64, Instant)>,
    /// A timer is under way, be it for an interval that has ended meanwhile.
    has_timer: bool,
}

/// A row that waits for the end of its interval.
#[derive(Debug)]
struct Waiting {
    stored_at: u64,
    json: Box<str>,
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
            learnt: OnceCell::new(),
        }
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
    /// Takes note of when the interval under way began.
    fn note_interval(&mut self) {
        let under_way = self.gate.interval();
        if under_way != self.interval.map(|(interval, _)| interval) {
            self.interval = under_way.map(|interval| (interval, Instant::now()));
        }
    }

    fn time_left(&mut self, length: Duration) -> Option<(u64, Duration)> {
        self.note_interval();
        self.has_timer = self.interval.is_some();
        let (interval, since) = self.interval?;
        Some((interval, length.saturating_sub(since.elapsed())))
    }
}

/// Where a value ends that does not go into the backlog. Counted when the lock is released: whoever is told may ask for
/// anything.
type Ends = Vec<Outcome>;

impl Recorder {
    /// From here on the value is in the backlog, waits, or is in one of the counters.
    pub(crate) fn take_in(&self, record: &Arc<RecordState>, stored_at: u64, json: &str) {
        let admit =
            |stored_at, json: &str, ticket| self.backlog.admit(record, stored_at, json, ticket);
        self.judge(record, stored_at, json, admit);
    }

    /// Gives the value to `admit`, and one that waited before it, if it is to be stored. `admit` says whether there is
    /// room.
    pub(crate) fn judge(
        &self,
        record: &Arc<RecordState>,
        stored_at: u64,
        json: &str,
        mut admit: impl FnMut(u64, &str, Option<Ticket>) -> bool,
    ) {
        let Some(rules) = record.gated() else {
            if !admit(stored_at, json, None) {
                self.drop_for_want_of_room(record);
            }
            return;
        };
        let mark = rules.mark(stored_at, json);
        let mut ends = Ends::new();
        let needs_timer = {
            let mut state = rules.lock();
            let waiting = || Waiting {
                stored_at,
                json: json.into(),
            };
            let Admission { released, verdict } = state.gate.admit(mark, waiting);
            if let Some(released) = released {
                let Waiting { stored_at, json } = released.value;
                let verdict = released.verdict;
                ends.extend(follow(
                    &mut state.gate,
                    verdict,
                    stored_at,
                    &json,
                    &mut admit,
                ));
            }
            ends.extend(follow(
                &mut state.gate,
                verdict,
                stored_at,
                json,
                &mut admit,
            ));
            state.note_interval();
            state.interval.is_some() && !std::mem::replace(&mut state.has_timer, true)
        };
        if needs_timer {
            self.intervals.push(record);
            self.backlog.nudge();
        }
        self.count(record, ends);
    }

    /// Ends the intervals of every record: what waits is stored.
    pub(crate) fn end_intervals(&self) {
        for record in self.registry.gated() {
            self.end_interval(&record, None);
        }
    }

    /// Ends the interval under way, if it is this one, or whichever it is.
    pub(crate) fn end_interval(&self, record: &Arc<RecordState>, which: Option<u64>) {
        let Some(rules) = record.gated() else { return };
        let mut ends = Ends::new();
        {
            let mut state = rules.lock();
            if which.is_some() && which != state.gate.interval() {
                return;
            }
            if let Some(released) = state.gate.end_interval() {
                let Waiting { stored_at, json } = released.value;
                let mut admit = |stored_at, json: &str, ticket| {
                    self.backlog.admit(record, stored_at, json, ticket)
                };
                let verdict = released.verdict;
                ends.extend(follow(
                    &mut state.gate,
                    verdict,
                    stored_at,
                    &json,
                    &mut admit,
                ));
            }
        }
        self.count(record, ends);
    }

    /// What a timer has to wait for: the interval under way, and how much of its time is left. Without one there is no
    /// timer any more, and the next interval asks for one.
    pub(crate) fn time_left(&self, record: &RecordState) -> Option<(u64, Duration)> {
        let rules = record.gated()?;
        let length = Duration::from_millis(rules.policy.min_interval?.ms);
        rules.lock().time_left(length)
    }

    fn count(&self, record: &RecordState, ends: Ends) {
        for outcome in ends {
            match outcome {
                Outcome::Dropped => self.drop_for_want_of_room(record),
                outcome => {
                    record.counters.settle(outcome, 1);
                }
            }
        }
    }

    fn drop_for_want_of_room(&self, record: &RecordState) {
        let reason =
            "the backlog is full: the backend is slower than the producers, or does not answer";
        self.lose(record, Outcome::Dropped, 1, reason);
    }
}

/// Under the gate's lock, so that rows are admitted in the order of their verdicts.
fn follow(
    gate: &mut Gate<Waiting>,
    verdict: Verdict,
    stored_at: u64,
    json: &str,
    admit: &mut impl FnMut(u64, &str, Option<Ticket>) -> bool,
) -> Option<Outcome> {
    match verdict {
        Verdict::Hold => None,
        Verdict::Suppress => Some(Outcome::Suppressed),
        Verdict::Store(ticket) => {
            if admit(stored_at, json, Some(ticket)) {
                return None;
            }
            gate.settle(ticket, false);
            Some(Outcome::Dropped)
        }
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
        let began = |at_ms| {
            let mut state = rules.lock();
            let waiting = || Waiting {
                stored_at: at_ms,
                json: "1".into(),
            };
            state.gate.admit(rules.mark(at_ms, "1"), waiting);
            state.note_interval();
            // The clock goes on, however coarse it is.
            let noted = Instant::now();
            while noted == Instant::now() {}
            let (_, left) = state.time_left(length).expect("one is under way");
            assert!(left < length, "a part of it is over");
            state.interval
        };
        let first = began(0);
        assert_eq!(began(999), first, "the same interval");
        let (second, since) = began(1_000).expect("an interval is under way");
        assert!(first.is_some_and(|(first, began)| second > first && since > began));
    }
}
