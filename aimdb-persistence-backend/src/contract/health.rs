//! What a backend does of its own accord.

use serde::Serialize;

/// What a backend has done of its own accord since it was opened, which no answer to a call tells.
///
/// It only ever grows, so that several databases may watch one backend:
/// [`PersistenceBackend::health`](crate::PersistenceBackend::health) is asked again and again.
///
/// ```
/// use aimdb_persistence_backend::{BackendHealth, FreshStart};
///
/// let mut health = BackendHealth::default();
/// health.evicted += 500;
/// health.fresh_starts.push(FreshStart::new("history.db was damaged").set_aside("history.db.corrupt"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BackendHealth {
    /// Rows removed before their time, the oldest first, to stay within a size that was set.
    pub evicted: u64,
    /// When recording went on without what had been stored before, in order.
    pub fresh_starts: Vec<FreshStart>,
    /// That there was no history when the storage was opened. A path that is misspelt, or a disk that is not mounted, shows
    /// here.
    pub new_history: Option<NewHistory>,
    /// Rows that were left out of answers because they are damaged: what is stored is not what was written. Each answer that
    /// leaves a row out counts it.
    pub damaged_rows: u64,
    /// What was found last to be damaged.
    pub damage: Option<String>,
    /// Commits that are missing though they were written: what held them was damaged before this opening.
    pub lost_commits: Option<LostCommits>,
    /// How often work has failed that nobody waits for, such as copying a log into its file. Nothing is lost by that, but
    /// storage grows until it succeeds.
    pub upkeep_failures: u64,
    /// What the last of these failures was.
    pub upkeep_failure: Option<String>,
}

/// Commits that were written and that are missing.
///
/// After a power cut these may be commits whose loss the durability allows, or that were never answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LostCommits {
    /// How many are known of. There may have been more.
    pub commits: u64,
    /// How many rows of theirs are known of.
    pub rows: u64,
    /// The earliest time of these rows.
    pub since_ms: Option<u64>,
    /// Where what is left of them is kept, if it is.
    pub kept: Option<String>,
}

impl LostCommits {
    /// So many, with so many rows.
    pub fn new(commits: u64, rows: u64) -> Self {
        Self {
            commits,
            rows,
            since_ms: None,
            kept: None,
        }
    }

    /// The earliest time of the rows.
    #[must_use]
    pub fn since_ms(mut self, since_ms: Option<u64>) -> Self {
        self.since_ms = since_ms;
        self
    }

    /// What is left of them is kept here.
    #[must_use]
    pub fn kept(mut self, location: impl Into<String>) -> Self {
        self.kept = Some(location.into());
        self
    }
}

/// There was no history at the place that was opened, and a new one was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NewHistory {
    /// Where it lies.
    pub location: String,
    /// The topmost folder that was missing and made for it.
    pub made_folder: Option<String>,
}

impl NewHistory {
    /// Begun here.
    pub fn new(location: impl Into<String>) -> Self {
        Self {
            location: location.into(),
            made_folder: None,
        }
    }

    /// This folder was missing.
    #[must_use]
    pub fn made_folder(mut self, folder: impl Into<String>) -> Self {
        self.made_folder = Some(folder.into());
        self
    }
}

/// Recording went on in empty storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FreshStart {
    /// What was wrong with the storage.
    pub reason: String,
    /// Where it lies now, if it was set aside.
    pub set_aside: Option<String>,
}

impl FreshStart {
    /// For this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            set_aside: None,
        }
    }

    /// What had been stored lies here now.
    #[must_use]
    pub fn set_aside(mut self, location: impl Into<String>) -> Self {
        self.set_aside = Some(location.into());
        self
    }
}
