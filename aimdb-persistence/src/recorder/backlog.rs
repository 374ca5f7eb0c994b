//! The bounded queue between the subscribers and the backend: rows in order of arrival, cut into batches.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aimdb_persistence_backend::Rows;
use event_listener::{Event, EventListener};

use crate::archive::options::BacklogLimits;
use crate::archive::record::RecordState;
use crate::thinning::gate::{Settled, Ticket, Way};
use crate::thinning::rules::Rules;

/// A batch is one transaction of the backend. It is large enough to make a commit cheap, and small enough that nobody
/// waits for it long.
const BATCH_ROWS: usize = 20_000;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The way of what is produced.
pub(crate) const BACKLOG: Way = Way(0);

/// What a row takes beside its JSON text.
const ROW_OVERHEAD_BYTES: usize = 40;

/// Rows that go to the backend together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Shared with the backend while it stores them. Alone otherwise, so that rows are added without copying any.
    pub(crate) rows: Arc<Rows>,
    /// The record of each of the rows' names.
    pub(crate) records: Vec<Arc<RecordState>>,
    /// The name under which the policy of each row's record knows the row.
    tickets: Vec<Option<Ticket>>,
}

impl Batch {
    pub(crate) fn push(
        &mut self,
        record: &Arc<RecordState>,
        stored_at: u64,
        json: &str,
        ticket: Option<Ticket>,
    ) {
        Arc::make_mut(&mut self.rows).push_shared(&record.name, stored_at, json, record.version());
        self.tickets.push(ticket);
        if self.rows.names().len() > self.records.len() {
            self.records.push(Arc::clone(record));
        }
    }

    /// The record of row `index`.
    pub(crate) fn record(&self, index: usize) -> &Arc<RecordState> {
        &self.records[self.rows.name_index(index)]
    }

    /// Tells the policy of row `index`'s record what has become of the row.
    pub(crate) fn settle(&self, index: usize, settled: Settled) {
        if let (Some(rules), Some(ticket)) = (self.record(index).gated(), self.tickets[index]) {
            rules.settle(ticket, settled);
        }
    }

    /// Its rows do not reach the backend in their order.
    pub(crate) fn lose_order(&self) {
        let rules = self.records.iter().filter_map(|record| record.gated());
        rules.for_each(Rules::doubt);
    }

    /// The rows from `start` up to `end`, as a batch of their own.
    pub(crate) fn part(&self, start: usize, end: usize) -> Self {
        let mut part = Self::default();
        for index in start..end {
            if let Some(row) = self.rows.get(index) {
                let ticket = self.tickets[index];
                part.push(self.record(index), row.stored_at, row.json, ticket);
            }
        }
        part
    }

    pub(crate) fn append(&mut self, other: &Self) {
        for (index, row) in other.rows.iter().enumerate() {
            let ticket = other.tickets[index];
            self.push(other.record(index), row.stored_at, row.json, ticket);
        }
    }

    fn bytes(&self) -> usize {
        self.rows.text_bytes() + self.rows.len() * ROW_OVERHEAD_BYTES
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.bytes() >= BATCH_BYTES
    }
}

/// Rows waiting for the backend, the batch under way included.
#[derive(Debug)]
pub(crate) struct Backlog {
    state: Mutex<State>,
    limits: BacklogLimits,
    /// The first row came, a batch is full, somebody is in a hurry, or recording ends.
    changed: Event,
    settled: Event,
}

#[derive(Debug, Default)]
struct State {
    batches: VecDeque<Batch>,
    rows: usize,
    bytes: usize,
    /// Rows ever admitted, and rows ever settled: both only grow, in the same order.
    admitted: u64,
    settled: u64,
    /// Everything up to this row is wanted without lingering.
    hurry_to: u64,
}

/// Whether there is a batch to hand over.
#[derive(Debug)]
pub(crate) enum Supply {
    /// Hand this over now.
    Ready(Batch),
    /// There are rows, and more may come soon to share the commit.
    Waiting,
    /// There are none.
    Empty,
}

impl Backlog {
    pub(crate) fn new(limits: BacklogLimits) -> Self {
        Self {
            state: Mutex::default(),
            limits,
            changed: Event::new(),
            settled: Event::new(),
        }
    }

    /// Takes a row in, unless there is no room. A row larger than the limit is let into an empty backlog.
    pub(crate) fn admit(
        &self,
        record: &Arc<RecordState>,
        stored_at: u64,
        json: &str,
        ticket: Option<Ticket>,
    ) -> bool {
        let bytes = json.len() + ROW_OVERHEAD_BYTES;
        let mut state = self.lock();
        let full =
            state.rows >= self.limits.rows || state.bytes.saturating_add(bytes) > self.limits.bytes;
        if full && state.rows > 0 {
            return false;
        }
        if state.batches.back().is_none_or(Batch::is_full) {
            state.batches.push_back(Batch::default());
        }
        let newest = state.batches.back_mut().expect("pushed above");
        let first = newest.rows.is_empty();
        newest.push(record, stored_at, json, ticket);
        let worth_telling = first || newest.is_full();
        state.rows += 1;
        state.bytes += bytes;
        state.admitted += 1;
        drop(state);
        if worth_telling {
            self.changed.notify(usize::MAX);
        }
        true
    }

    /// The next batch, if it is full or somebody waits for it; any batch at all if `now`.
    pub(crate) fn supply(&self, now: bool) -> Supply {
        let mut state = self.lock();
        let Some(oldest) = state.batches.front() else {
            return Supply::Empty;
        };
        if now || oldest.is_full() || state.hurry_to > state.settled {
            let batch = state.batches.pop_front().expect("seen above");
            return Supply::Ready(batch);
        }
        Supply::Waiting
    }

    /// The oldest rows of the batch under way are settled.
    pub(crate) fn settle(&self, rows: usize, text_bytes: usize) {
        let mut state = self.lock();
        state.rows -= rows;
        state.bytes -= text_bytes + rows * ROW_OVERHEAD_BYTES;
        state.settled += rows as u64;
        drop(state);
        self.settled.notify(usize::MAX);
    }

    /// Asks for everything admitted so far without lingering, and resolves when it is settled.
    pub(crate) async fn wait_until_settled(&self) {
        let target = {
            let mut state = self.lock();
            state.hurry_to = state.admitted;
            state.admitted
        };
        self.changed.notify(usize::MAX);
        loop {
            let settled = self.settled.listen();
            if self.lock().settled >= target {
                return;
            }
            settled.await;
        }
    }

    /// How many rows were ever settled.
    pub(crate) fn settled(&self) -> u64 {
        self.lock().settled
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().rows == 0
    }

    pub(crate) fn changed(&self) -> EventListener {
        self.changed.listen()
    }

    /// Wakes the handover for a reason outside the backlog.
    pub(crate) fn nudge(&self) {
        self.changed.notify(usize::MAX);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Arc<RecordState> {
        Arc::new(RecordState::new("a", Arc::default()))
    }

    fn backlog(rows: usize, bytes: usize) -> Backlog {
        Backlog::new(BacklogLimits { rows, bytes })
    }

    #[test]
    fn a_full_backlog_refuses_rows_until_others_are_settled() {
        let backlog = backlog(2, usize::MAX);
        let record = record();
        assert!(backlog.admit(&record, 1, "1", None) && backlog.admit(&record, 2, "2", None));
        assert!(
            !backlog.admit(&record, 3, "3", None),
            "two rows are the limit"
        );
        let Supply::Ready(batch) = backlog.supply(true) else {
            panic!("two rows wait")
        };
        assert!(
            !backlog.admit(&record, 3, "3", None),
            "a batch under way still takes room"
        );
        backlog.settle(batch.rows.len(), batch.rows.text_bytes());
        assert!(backlog.admit(&record, 3, "3", None));
    }

    #[test]
    fn a_row_beyond_the_byte_limit_is_let_into_an_empty_backlog_only() {
        let backlog = backlog(10, 48);
        let record = record();
        let large = "9".repeat(1_000);
        assert!(backlog.admit(&record, 1, &large, None));
        assert!(!backlog.admit(&record, 2, "2", None));
    }

    #[test]
    fn a_batch_lingers_until_it_is_full_or_wanted() {
        let backlog = backlog(usize::MAX, usize::MAX);
        let record = record();
        assert!(matches!(backlog.supply(true), Supply::Empty));
        backlog.admit(&record, 1, "1", None);
        assert!(matches!(backlog.supply(false), Supply::Waiting));
        for time in 0..BATCH_ROWS as u64 {
            backlog.admit(&record, time, "1", None);
        }
        let Supply::Ready(batch) = backlog.supply(false) else {
            panic!("a full batch does not linger")
        };
        assert_eq!(batch.rows.len(), BATCH_ROWS);
        assert!(
            matches!(backlog.supply(false), Supply::Waiting),
            "the row behind it does"
        );
    }
}
