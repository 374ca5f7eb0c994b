//! What a record's policy means for the recorder: a value goes into the backlog, waits, or is counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aimdb_persistence_backend::OnDuplicate;

use crate::archive::event::PersistenceEvent;
use crate::archive::record::RecordState;
use crate::archive::stats::Outcome;
use crate::recorder::backlog::BACKLOG;
use crate::recorder::recording::Recorder;
use crate::recorder::subscriber::Described;
use crate::thinning::gate::{Ticket, Way};
use crate::thinning::rules::LeftOut;

impl Recorder {
    /// From here on the value is in the backlog, waits, or is in one of the counters.
    pub(crate) fn take_in(&self, record: &Arc<RecordState>, value: &Described<'_>) {
        let admit =
            |stored_at, json: &str, ticket| self.backlog().admit(record, stored_at, json, ticket);
        self.judge(record, BACKLOG, value, admit);
    }

    /// Gives the value to `admit`, and one that waited before it, if it is to be stored. `admit` says whether there is
    /// room. Says whether the value waits.
    pub(crate) fn judge(
        &self,
        record: &Arc<RecordState>,
        way: Way,
        value: &Described<'_>,
        mut admit: impl FnMut(u64, &str, Option<Ticket>) -> bool,
    ) -> bool {
        if let Some(problem) = record.problem.get() {
            self.lose(record, Outcome::Failed, 1, problem);
            return false;
        }
        let Described {
            stored_at, json, ..
        } = *value;
        self.watch_duplicates(record, value);
        let Some(rules) = record.gated() else {
            if !admit(stored_at, json, None) {
                self.count(record, LeftOut::ForWantOfRoom);
            }
            return false;
        };
        let judged = rules.judge(Instant::now(), way, stored_at, json, admit);
        if judged.needs_timer {
            self.intervals().push(record);
            self.backlog().nudge();
        }
        for left_out in judged.left_out {
            self.count(record, left_out);
        }
        judged.is_held
    }

    /// Reports the first value whose time is taken for that of another one.
    fn watch_duplicates(&self, record: &RecordState, value: &Described<'_>) {
        let Described {
            stored_at,
            nanoseconds,
            ..
        } = *value;
        if record.on_duplicate() != OnDuplicate::Keep
            && record.times.collide(stored_at, nanoseconds)
        {
            let record_name = record.name.to_string();
            self.report(&PersistenceEvent::TimesCollide {
                record_name,
                stored_at,
            });
        }
    }

    /// Ends the intervals of every record: what waits is stored.
    pub(crate) fn end_intervals(&self) {
        for record in self.archive().registry().gated() {
            self.end_interval(&record, None);
        }
    }

    /// Ends the interval under way: this one, or any.
    pub(crate) fn end_interval(&self, record: &Arc<RecordState>, which: Option<u64>) {
        let admit =
            |stored_at, json: &str, ticket| self.backlog().admit(record, stored_at, json, ticket);
        self.end_interval_by(record, which, BACKLOG, admit);
    }

    /// The same, and what waits goes another way.
    pub(crate) fn end_interval_by(
        &self,
        record: &Arc<RecordState>,
        which: Option<u64>,
        way: Way,
        admit: impl FnMut(u64, &str, Option<Ticket>) -> bool,
    ) {
        let Some(rules) = record.gated() else { return };
        if let Some(left_out) = rules.end_interval(which, way, admit) {
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
