//! What became of every value: each ends in exactly one counter.

use std::fmt::{self, Display};
use std::iter::Sum;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};

use aimdb_persistence_backend::BackendHealth;
use serde::Serialize;

use crate::archive::odd_times::OddTime;

/// The values of one record, or of all: `produced` is always the sum of the others, `expired` and `ahead` aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Values produced into the record. A record persisted by a plain `.persist(key)` counts the values that its
    /// reader receives, not those that a `latest` or mailbox buffer replaced before.
    pub produced: u64,
    /// Rows that the backend has stored.
    pub stored: u64,
    /// Left out by the policy, or by `on_duplicate`: the series has a row of the same time.
    pub suppressed: u64,
    /// Published from the history at the start, and so not stored again.
    pub restored: u64,
    /// Replaced by a newer value in a `latest` buffer before the recorder took it.
    pub overwritten: u64,
    /// Pushed out of the record's ring before the recorder took it.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordStats {
    /// The record's key.
    pub record_name: String,
    /// Its values.
    pub counts: Counts,
    /// Why nothing of the record is recorded, if that is so.
    pub problem: Option<String>,
}

/// What became of the values of every persisted record of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

/// What is not nothing, in one line: `120 produced: 118 stored, 2 pending`.
impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} produced", self.produced)?;
        let ends = [
            (self.stored, "stored"),
            (self.suppressed, "suppressed"),
            (self.restored, "restored"),
            (self.overwritten, "overwritten"),
            (self.lagged, "lagged"),
            (self.dropped, "dropped"),
            (self.failed, "failed"),
            (self.unserializable, "unserializable"),
            (self.pending, "pending"),
        ];
        let told = ends.into_iter().filter(|(values, _)| *values > 0);
        for (index, (values, end)) in told.enumerate() {
            let before = if index == 0 { ":" } else { "," };
            write!(f, "{before} {values} {end}")?;
        }
        Ok(())
    }
}

/// So wide is a terminal, and so much of it is for names.
const WIDTH: usize = 80;
const MOST_OF_A_NAME: usize = 32;

/// A table for a terminal of eighty columns: a line for each record with what was produced, stored, left out (`suppressed`, `restored`,
/// `overwritten`), lost and is pending; then all together, and what is out of the ordinary.
impl Display for PersistenceStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .records
            .iter()
            .map(|record| record.record_name.chars().count());
        let width = names.max().unwrap_or(0).clamp(6, MOST_OF_A_NAME);
        let heads = ["produced", "stored", "left out", "lost", "pending"];
        let [produced, stored, left_out, lost, pending] = heads;
        writeln!(
            f,
            "{:width$} {produced:>9} {stored:>9} {left_out:>9} {lost:>8} {pending:>8}",
            "record"
        )?;
        for record in &self.records {
            write_line(f, width, &shortened(&record.record_name), &record.counts)?;
            if let Some(problem) = &record.problem {
                let problem: String = problem.chars().take(WIDTH - 2).collect();
                writeln!(f, "  {problem}")?;
            }
        }
        write_line(f, width, "all", &self.total)?;
        if self.undecodable > 0 {
            writeln!(f, "{} stored rows did not decode", self.undecodable)?;
        }
        if self.backend.damaged_rows > 0 {
            let rows = self.backend.damaged_rows;
            writeln!(f, "{rows} damaged rows were left out of answers")?;
        }
        if self.backend.evicted > 0 {
            writeln!(
                f,
                "{} rows were removed to stay within a size",
                self.backend.evicted
            )?;
        }
        if !self.backend.fresh_starts.is_empty() {
            let times = self.backend.fresh_starts.len();
            writeln!(f, "recording went on in empty storage {times} times")?;
        }
        Ok(())
    }
}

fn write_line(
    f: &mut fmt::Formatter<'_>,
    width: usize,
    name: &str,
    counts: &Counts,
) -> fmt::Result {
    let left_out = counts.suppressed + counts.restored + counts.overwritten;
    writeln!(
        f,
        "{name:width$} {:>9} {:>9} {left_out:>9} {:>8} {:>8}",
        counts.produced,
        counts.stored,
        counts.lost(),
        counts.pending
    )
}

/// Of a long key the end tells more.
fn shortened(name: &str) -> String {
    let chars = name.chars().count();
    if chars <= MOST_OF_A_NAME {
        return name.to_owned();
    }
    let end = name.chars().skip(chars - MOST_OF_A_NAME + 1);
    std::iter::once('…').chain(end).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_fit_a_terminal_whatever_they_say() {
        let counts = Counts {
            produced: 123_456_789,
            stored: 123_456_700,
            suppressed: 20,
            restored: 1,
            overwritten: 3,
            lagged: 60,
            pending: 5,
            ..Counts::default()
        };
        let record = |record_name: &str, problem: Option<&str>| RecordStats {
            record_name: record_name.to_owned(),
            counts,
            problem: problem.map(str::to_owned),
        };
        let stats = PersistenceStats {
            total: counts + counts,
            records: vec![
                record("temperature.sf", None),
                record(
                    &"a.very.long.key.".repeat(6),
                    Some(&"it has no buffer ".repeat(9)),
                ),
            ],
            undecodable: 3,
            ..PersistenceStats::default()
        };
        let text = stats.to_string();
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..2],
            [
                "record                            produced    stored  left out     lost  pending",
                "temperature.sf                   123456789 123456700        24       60        5",
            ]
        );
        assert_eq!(
            lines[4],
            "all                              246913578 246913400        48      120       10"
        );
        assert_eq!(lines[5], "3 stored rows did not decode");
        assert_eq!(
            counts.to_string(),
            "123456789 produced: 123456700 stored, 20 suppressed, 1 restored, 3 overwritten, 60 lagged, 5 pending"
        );
        assert_eq!(Counts::default().to_string(), "0 produced");
    }
}
