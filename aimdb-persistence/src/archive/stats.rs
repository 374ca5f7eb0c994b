//! What became of every value: each ends in exactly one counter.

use std::iter::Sum;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};

use aimdb_persistence_backend::BackendHealth;

use crate::archive::odd_times::OddTime;

/// The values of one record, or of all: `produced` is always the sum of the others, `expired` and `ahead` aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Values produced into the record. A record persisted by a plain `.persist(key)` counts what its reader comes to
    /// see: not what a `latest` or mailbox buffer replaced before.
    pub produced: u64,
    /// Rows that the backend has stored.
    pub stored: u64,
    /// Left out by the policy, or because the series has a row of the same time (`on_duplicate`).
    pub suppressed: u64,
    /// Published from the history at the start, hence not stored again.
    pub restored: u64,
    /// Replaced by a newer value in a `latest` buffer before the recorder came to it.
    pub overwritten: u64,
    /// Pushed out of the record's ring before the recorder came to it.
    pub lagged: u64,
    /// Refused by the full backlog, or produced after recording was stopped.
    pub dropped: u64,
    /// Refused for good by the backend, or without a time that can be stored.
    pub failed: u64,
    /// Without a JSON form that decodes to the same value: an infinite float, a failing `Serialize`.
    pub unserializable: u64,
    /// Of those stored, the ones whose time was beyond their retention when they arrived: the next sweep removes them.
    /// Not a part of the sum.
    pub expired: u64,
    /// Of those stored, the ones whose time lay further ahead of the clock than rows may. Not a part of the sum.
    pub ahead: u64,
    /// Not settled yet: in the buffer, waiting for the end of an interval of which the last value is kept, in the
    /// backlog, or on the way to the backend.
    pub pending: u64,
}

impl Counts {
    /// Values that were to be stored and were not.
    pub fn lost(&self) -> u64 {
        self.lagged + self.dropped + self.failed + self.unserializable
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            produced: self.produced + other.produced,
            stored: self.stored + other.stored,
            suppressed: self.suppressed + other.suppressed,
            restored: self.restored + other.restored,
            overwritten: self.overwritten + other.overwritten,
            lagged: self.lagged + other.lagged,
            dropped: self.dropped + other.dropped,
            failed: self.failed + other.failed,
            unserializable: self.unserializable + other.unserializable,
            expired: self.expired + other.expired,
            ahead: self.ahead + other.ahead,
            pending: self.pending + other.pending,
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

/// What became of the values of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordStats {
    /// The record's key.
    pub record_name: String,
    /// Its values.
    pub counts: Counts,
    /// Why nothing of the record is being recorded, where that is so.
    pub problem: Option<String>,
}

/// What became of the values of every persisted record of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersistenceStats {
    /// All records together.
    pub total: Counts,
    /// Each record, by name.
    pub records: Vec<RecordStats>,
    /// Stored rows that queries skipped because they did not decode as the type asked for.
    pub undecodable: u64,
    /// Rows that sweeps have removed in this run, for their age or because there were more of their series than it may have.
    pub swept: u64,
    /// What the backend has done of its own accord: rows removed to stay within a size, storage set aside.
    pub backend: BackendHealth,
}

impl PersistenceStats {
    /// The statistics of one record.
    pub fn record(&self, record_name: &str) -> Option<&RecordStats> {
        let index = self
            .records
            .binary_search_by(|record| (*record.record_name).cmp(record_name));
        index.ok().map(|index| &self.records[index])
    }
}

/// Where a value can end. The order is that of the counters in [`Counters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stored,
    Suppressed,
    Restored,
    Overwritten,
    Lagged,
    Dropped,
    Failed,
    Unserializable,
}

/// The live counters of one record.
///
/// Invariant: a value is counted as produced before it is counted as anything else. A snapshot that reads
/// `produced` last therefore never sees more outcomes than values, and the difference is what is pending.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    produced: AtomicU64,
    outcomes: [AtomicU64; 8],
    expired: AtomicU64,
    ahead: AtomicU64,
}

impl Counters {
    pub(crate) fn produced(&self, values: u64) {
        self.produced.fetch_add(values, Ordering::AcqRel);
    }

    /// Settles values and returns how many had ended the same way before.
    pub(crate) fn settle(&self, outcome: Outcome, values: u64) -> u64 {
        self.outcomes[outcome as usize].fetch_add(values, Ordering::AcqRel)
    }

    /// Of a row that was stored.
    pub(crate) fn note_odd_time(&self, odd: OddTime) {
        let counter = match odd {
            OddTime::Expired => &self.expired,
            OddTime::Ahead => &self.ahead,
        };
        counter.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize].load(Ordering::Acquire)
    }

    pub(crate) fn snapshot(&self) -> Counts {
        // Read before `stored` is, and counted after it: there are never more of them.
        let (expired, ahead) = (
            self.expired.load(Ordering::Acquire),
            self.ahead.load(Ordering::Acquire),
        );
        let mut counts = Counts {
            expired,
            ahead,
            stored: self.count(Outcome::Stored),
            suppressed: self.count(Outcome::Suppressed),
            restored: self.count(Outcome::Restored),
            overwritten: self.count(Outcome::Overwritten),
            lagged: self.count(Outcome::Lagged),
            dropped: self.count(Outcome::Dropped),
            failed: self.count(Outcome::Failed),
            unserializable: self.count(Outcome::Unserializable),
            ..Counts::default()
        };
        let settled = counts.stored
            + counts.suppressed
            + counts.restored
            + counts.overwritten
            + counts.lost();
        counts.produced = self.produced.load(Ordering::Acquire);
        counts.pending = counts.produced - settled;
        counts
    }
}
