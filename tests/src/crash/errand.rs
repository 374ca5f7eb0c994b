//! What a process does of which every call of the file system fails in turn, and what it reports.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::crash::Promise;

/// A short run over the files of one folder, that asks the same of the file system each time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Errand {
    /// What it does.
    pub kind: Kind,
    /// Where the files lie.
    pub folder: PathBuf,
    /// Tells one process from the next.
    pub run: u32,
    /// What it asks of the backend.
    pub durability: Promise,
    /// Whether it may be told of failures.
    pub may_fail: bool,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Stores, merges, sweeps, queries and closes.
    Record,
    /// The same, and ends without closing.
    Abandon,
    /// Stores, and makes a backup at `copy.db` meanwhile.
    BackUp,
    /// Opens a file that may be damaged, sets it aside if it is, and stores.
    Quarantine,
    /// Saves what can be read of `history.db` into `saved.db`.
    Salvage,
}

impl Errand {
    /// The history.
    pub fn history(&self) -> PathBuf {
        self.folder.join("history.db")
    }

    /// Where a backup goes.
    pub fn copy(&self) -> PathBuf {
        self.folder.join("copy.db")
    }

    /// Where saved rows go.
    pub fn saved(&self) -> PathBuf {
        self.folder.join("saved.db")
    }
}

/// A line that the process writes to its parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum News {
    /// Passing rows from before this time are about to be removed.
    Passing(u64),
    /// So many of its values of each series are stored.
    Stored(BTreeMap<String, u64>),
    /// A backup is complete that was begun when so many were stored.
    BackedUp(BTreeMap<String, u64>),
    /// So many rows were saved, and so many stretches and values could not be read.
    Saved(u64, u64),
    /// What it was asked for has failed, and it was told so.
    Failed(String),
    /// It was told something that is not true.
    Lied(String),
    /// The most memory that it had, in KiB.
    Peak(u64),
}
