//! What one record's policy means for the recorder: values go into the backlog, wait, or are counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::archive::record::RecordState;
use crate::archive::stats::Outcome;
use crate::recorder::recording::Recorder;
use crate::thinning::gate::Ticket;
use crate::thinning::rules::LeftOut;

impl Recorder {
    /// From here on the value is in the backlog, waits, or is in one of the counters.
    pub(crate) fn take_in(&self, record: &Arc<RecordState>, stored_at: u64, json: &str) {
        let admit =
            |stored_at, json: &str, ticket| self.backlog().admit(record, stored_at, json, ticket);
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
        if let Some(problem) = record.problem.get() {
            return self.lose(record, Outcome::Failed, 1, problem);
        }
        let Some(rules) = record.gated() else {
            if !admit(stored_at, json, None) {
                self.count(record, LeftOut::ForWantOfRoom);
            }
            return;
        };
        let judged = rules.judge(Instant::now(), stored_at, json, admit);
        if judged.needs_timer {
            self.intervals().push(record);
            self.backlog().nudge();
        }
        for left_out in judged.left_out {
            self.count(record, left_out);
        }
    }

    /// Ends the intervals of every record: what waits is stored.
    pub(crate) fn end_intervals(&self) {
        for record in self.archive().registry().gated() {
            self.end_interval(&record, None);
        }
    }

    /// Ends the interval under way, if it is this one, or whichever it is.
    pub(crate) fn end_interval(&self, record: &Arc<RecordState>, which: Option<u64>) {
        let Some(rules) = record.gated() else { return };
        let admit =
            |stored_at, json: &str, ticket| self.backlog().admit(record, stored_at, json, ticket);
        if let Some(left_out) = rules.end_interval(which, admit) {
            self.count(record, left_out);
        }
    }

    /// What a timer of the record has to wait for.
    pub(crate) fn time_left(&self, record: &RecordState) -> Option<(u64, Duration)> {
        record.gated()?.time_left(Instant::now())
    }

    fn count(&self, record: &RecordState, left_out: LeftOut) {
        match left_out {
            LeftOut::ByPolicy => {
                record.counters.settle(Outcome::Suppressed, 1);
            }
            LeftOut::ForWantOfRoom => self.lose(record, Outcome::Dropped, 1, NO_ROOM),
        }
    }
}

const NO_ROOM: &str =
    "the backlog is full: the backend is slower than the producers, or does not answer";
