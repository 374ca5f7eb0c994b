//! What the crash tests and the process that they kill share: what it is told, what it records, and what it reports.

pub mod errand;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use aimdb_persistence::Persist;
use aimdb_persistence_sqlite::Durability;
use serde::{Deserialize, Serialize};

/// Keys are few, so that series are written to over and over; the last one of each kind belongs to every process.
pub const KEPT_SERIES: [&str; 5] = ["a", "b", "c", "d", "shared"];
/// Series whose rows expire.
pub const PASSING_SERIES: [&str; 2] = ["a", "shared"];

/// Far beyond the clock of any machine, so that nothing passes but what the recording process says.
const FUTURE_MS: u64 = 4_000_000_000_000;
/// Times of one run lie below those of the next.
const RUN_MS: u64 = 1_000_000;

/// So few rows in the tail that merges are nearly always under way.
pub const FEW_TAIL_ROWS: usize = 48;

/// What a process is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Assignment {
    /// The database.
    pub path: PathBuf,
    /// Tells processes apart that record at the same time.
    pub writer: u32,
    /// Tells one process from the next.
    pub run: u32,
    /// Of its random decisions.
    pub seed: u64,
    /// What it asks of the backend.
    pub durability: Promise,
    /// How many decisions it takes.
    pub steps: usize,
    /// Whether it ever asks for a flush.
    pub flushes: bool,
    /// What it does then.
    pub ending: Ending,
    /// How many rows lie in the tail before they are merged.
    pub tail_rows: usize,
    /// Everything is packed at once, into chunks of so many rows.
    pub chunk_rows: Option<usize>,
    /// Whether a damaged file is set aside.
    pub quarantine: bool,
    /// Which of its calls fail, in the words of `tape.c`; none where it is empty.
    pub faults: String,
}

/// What a process does at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It ends as abruptly as if it had been killed.
    Abrupt,
    /// It closes its history first, and reports what it has closed.
    Closed,
    /// It waits until everything is stored, reports that, and goes on waiting.
    Idle,
    /// It asks for flushes and records on until one succeeds and some more is stored, and ends as abruptly as the first.
    Flushed,
}

/// A durability that can be told to another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Promise {
    /// Every answered row survives a power cut.
    Full,
    /// Every flushed row does.
    Grouped,
    /// The file does.
    Relaxed,
}

impl From<Promise> for Durability {
    fn from(promise: Promise) -> Self {
        match promise {
            Promise::Full => Self::Full,
            Promise::Grouped => Self::Grouped {
                every: Duration::from_millis(10),
            },
            Promise::Relaxed => Self::Relaxed,
        }
    }
}

/// A line that a process writes to its parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// It has started, as this run.
    Begun(u32),
    /// It is about to record.
    Ready,
    /// So many of its values of each series are stored, as the statistics count them.
    Stored(BTreeMap<String, u64>),
    /// So many of its values of each series are durable: a flush has said so.
    Flushed(BTreeMap<String, u64>),
    /// Passing rows from before this time are about to be removed.
    Passing(u64),
    /// So many of its values are lost.
    Lost(u64),
    /// It does nothing any more.
    Idle,
}

/// A value that is never removed.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "kept.{series}", retention = "forever", buffer = "ring(65536)")]
pub struct Kept {
    /// What it says.
    pub mark: Mark,
    /// Rows of one run share few times, and come in no order of time.
    #[persist(timestamp)]
    pub at: u64,
}

/// A value that is removed when the process says so.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "passing.{series}", retention = "1s", buffer = "ring(65536)")]
pub struct Passing {
    /// What it says.
    pub mark: Mark,
    /// Ever later.
    #[persist(timestamp)]
    pub at: u64,
}

/// Which value of which process it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Of two processes at the same time.
    pub writer: u32,
    /// Of processes one after the other.
    pub run: u32,
    /// Counts the values of a series within a run.
    pub n: u64,
    /// Follows from the number, so that it can be told whether it is whole.
    pub text: String,
}

impl Mark {
    /// The `n`th value of a series.
    pub fn new(writer: u32, run: u32, n: u64) -> Self {
        let word = format!("{n}.");
        let bytes = match n % 9 {
            0 => 300 + n * 37 % 200,
            1 => 500 + n * 7_919 % 5_500,
            _ => n % 20,
        };
        Self {
            writer,
            run,
            n,
            text: word.repeat(bytes as usize / word.len()),
        }
    }

    /// Whether it is as it was made.
    pub fn is_whole(&self) -> bool {
        *self == Self::new(self.writer, self.run, self.n)
    }
}

impl Kept {
    /// The `n`th value of a series.
    pub fn new(writer: u32, run: u32, n: u64) -> Self {
        Self {
            mark: Mark::new(writer, run, n),
            at: u64::from(run) * RUN_MS + n * 7_919 % 32,
        }
    }
}

impl Passing {
    /// The `n`th value of a series.
    pub fn new(writer: u32, run: u32, n: u64) -> Self {
        Self {
            mark: Mark::new(writer, run, n),
            at: FUTURE_MS + u64::from(run) * RUN_MS + n,
        }
    }
}
