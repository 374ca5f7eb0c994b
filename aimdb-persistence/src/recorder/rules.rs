//! What one record's policy decides in the recorder: which values go into the backlog, which are left out, and which
//! wait for the end of an interval.

use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_lock::OnceCell;
use futures_lite::future::or;
use futures_timer::Delay;

use super::Recorder;
use super::record::RecordState;
use crate::backend::{Page, ReadRequest};
use crate::pattern::Pattern;
use crate::policy::Policy;
use crate::policy::gate::{Admission, Gate, Mark, Ticket, Verdict};
use crate::policy::sample::Sample;
use crate::rows::Row;
use crate::stats::Outcome;

/// How long the first value of a series waits for a backend that cannot say what it holds of it. Then the value is
/// stored, as the first of a series is.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// The policy of a record, and how far it has come.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    /// Where values hold their event time, which is no part of what `on_change` compares.
    event_time_fields: &'static [&'static str],
    version: u32,
    state: Mutex<State>,
    learnt: OnceCell<()>,
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
        let mut state = rules.lock();
        state.note_interval();
        state.has_timer = state.interval.is_some();
        let (interval, since) = state.interval?;
        Some((interval, length.saturating_sub(since.elapsed())))
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

    /// Reads what the backend holds of the record from before, unless that was done. Before its first value is judged.
    pub(crate) async fn learn_last(&self, record: &RecordState) {
        let Some(rules) = record.gated() else { return };
        let learn = async || {
            let give_up = async {
                Delay::new(PATIENCE).await;
                None
            };
            let page = or(async { Some(self.last_page(record).await) }, give_up).await;
            let last = page.as_ref().and_then(|page| page.rows.get(0));
            let last = last.map(|row| rules.mark_of_stored(row));
            rules.lock().gate.go_on_after(last);
        };
        rules.learnt.get_or_init(learn).await;
    }

    /// Runs what takes the rows of these times away from a series. However that ends, and be it half-way, its policy compares
    /// nothing with rows that may be gone, but with the newest that is left.
    pub(crate) async fn take_away<T>(
        &self,
        series: &str,
        times_ms: RangeInclusive<u64>,
        removal: impl Future<Output = T>,
    ) -> T {
        let forget = ForgetOnDrop {
            record: self.registry.known(series),
            times_ms,
        };
        let removed = removal.await;
        drop(forget);
        self.find_last(series).await;
        removed
    }

    /// After rows have left a series, or come to it, past the recorder: the newest that is there now is what its policy
    /// compares with. Where the backend does not say, the next value is stored, as the first of a series is.
    pub(crate) async fn find_last(&self, series: &str) {
        let record = self.registry.known(series);
        let Some(rules) = record.as_ref().and_then(|record| record.gated()) else {
            return;
        };
        let request = newest_row_of(series);
        let page = self.call(async || self.backend().read(request).await).await;
        let last = page.as_ref().ok().and_then(|page| page.rows.get(0));
        if let Some(last) = last {
            rules.lock().gate.find(rules.mark_of_stored(last));
        }
    }

    /// A page of the newest row, as soon as the backend answers.
    async fn last_page(&self, record: &RecordState) -> Page {
        let request = newest_row_of(&record.name);
        let read = async || {
            self.prepare().await?;
            self.backend().read(request.clone()).await
        };
        loop {
            match self.call(read).await {
                Ok(page) => return page,
                Err(_) => Delay::new(PAUSE).await,
            }
        }
    }
}

struct ForgetOnDrop {
    record: Option<Arc<RecordState>>,
    times_ms: RangeInclusive<u64>,
}

impl Drop for ForgetOnDrop {
    fn drop(&mut self) {
        if let Some(rules) = self.record.as_ref().and_then(|record| record.gated()) {
            rules.lock().gate.forget(&self.times_ms);
        }
    }
}

fn newest_row_of(series: &str) -> ReadRequest {
    ReadRequest::new(Pattern::exact(series)).with_limit(1)
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
