//! What can go wrong, said so that a caller can act on it.

use std::error::Error as StdError;
use std::fmt;

use crate::contract::cursor::CursorError;
use crate::contract::feature::Feature;
use crate::contract::key::KeyError;
use crate::contract::pattern::PatternError;
use crate::contract::quoted::Quoted;

/// Why a stored value is not one of the type asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Its JSON is another.
    #[error(transparent)]
    Json(#[from] serde_json::Error),

    /// A newer program has written it.
    #[error(
        "it was written as version {stored} of its type, and this program knows versions up to {known}: update the program"
    )]
    TooNew {
        /// The version it was written as.
        stored: u32,
        /// The newest version that the type knows.
        known: u32,
    },

    /// It is older than the type's oldest step.
    #[error(
        "it was written as version {stored} of its type, and the oldest that can be read is {oldest}: add the older \
         types to `migrate(…)`"
    )]
    TooOld {
        /// The version it was written as.
        stored: u32,
        /// The oldest version that the type knows.
        oldest: u32,
    },

    /// A step of `migrate(…)` refuses it.
    #[error("it cannot be lifted to the next version of its type: {reason}")]
    Migration {
        /// What the step's `TryFrom` says.
        reason: String,
    },
}

/// A boxed cause, as [`std::error::Error::source`] hands it out.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// Everything that recording or querying a history can answer with instead of a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PersistenceError {
    /// The database was built without `with_persistence`.
    #[error(
        "persistence is not configured: call `.with_persistence(backend, retention)` on the builder"
    )]
    NotConfigured,

    /// A backend's own message.
    #[error("persistence backend: {0}")]
    Backend(String),

    /// The backend was closed, or its writer ended, before it could answer.
    #[error("the persistence backend has shut down")]
    BackendShutdown,

    /// A value could not be turned into JSON, or stored JSON not into the type asked for.
    #[error("JSON: {0}")]
    Serialization(#[from] serde_json::Error),

    /// The storage below the backend failed; [`StorageError::kind`] says how.
    #[error(transparent)]
    Storage(#[from] StorageError),

    /// A record key that no series can have.
    #[error(transparent)]
    InvalidKey(#[from] KeyError),

    /// A pattern that selects nothing because it is malformed.
    #[error(transparent)]
    InvalidPattern(#[from] PatternError),

    /// A cursor that the backend has not made, or that was damaged.
    #[error(transparent)]
    InvalidCursor(#[from] CursorError),

    /// A row that can never be stored, however often it is tried.
    #[error("a value of record `{}` cannot be stored: {reason}", Quoted(.record_name))]
    Unstorable {
        /// The record the value belongs to.
        record_name: String,
        /// Why no retry can help.
        reason: String,
    },

    /// A stored row does not decode as the type asked for (strict queries only; others skip and count it).
    #[error(
        "the row of record `{}` at {stored_at} ms does not decode as `{type_name}`: {source}",
        Quoted(.record_name)
    )]
    Undecodable {
        /// The record the row belongs to.
        record_name: String,
        /// The row's time in Unix milliseconds.
        stored_at: u64,
        /// The Rust type that was asked for.
        type_name: &'static str,
        /// The decoder's complaint.
        source: DecodeError,
    },

    /// The record is declared persistent, but nothing of it is being recorded.
    #[error("record `{}` is persisted but not recorded: {reason}", Quoted(.record_name))]
    NotRecorded {
        /// The record's key.
        record_name: String,
        /// What is missing and how to mend it.
        reason: String,
    },

    /// Recording was closed (`close_persistence`).
    #[error("recording was closed: store values before `close_persistence`")]
    Closed,

    /// Nothing drives the recorder: the runtime, or AimDB 2's runner, was dropped or never run.
    #[error(
        "the recorder is not running: keep the database's runtime or runner alive; values pending: {pending}"
    )]
    NotRunning {
        /// Values neither stored nor counted as lost.
        pending: u64,
    },

    /// A remote client asked, and the database's options let none (`RemoteHistory`).
    #[error("remote access to the history is switched off")]
    RemoteHistoryOff,

    /// A remote query found nothing in the time that it may take.
    #[error(
        "the history found nothing within {limit_ms} ms: ask for fewer records or a shorter range"
    )]
    RemoteTimeout {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },

    /// The backend cannot do this.
    #[error("the backend does not support {0}")]
    Unsupported(Feature),

    /// A query that makes no sense.
    #[error("the query cannot be answered: {reason}")]
    InvalidQuery {
        /// What makes no sense, and what to write instead.
        reason: String,
    },

    /// A query took longer than its time limit (`History::time_limit`).
    #[error(
        "the query was not answered within its time limit of {limit_ms} ms: ask for fewer rows, or give it more time"
    )]
    TimeLimit {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },

    /// A flush or close ran into its deadline; the values are still pending, not lost.
    #[error("{waiting_for} within {deadline_ms} ms; values pending: {pending}")]
    Timeout {
        /// What did not happen in time.
        waiting_for: &'static str,
        /// The deadline that passed, in milliseconds.
        deadline_ms: u64,
        /// Values neither stored nor counted as lost when the deadline passed.
        pending: u64,
    },
}

impl PersistenceError {
    /// The kind of storage failure, where the storage was what failed.
    ///
    /// ```
    /// use aimdb_persistence_backend::{PersistenceError, StorageError, StorageErrorKind};
    ///
    /// let error = PersistenceError::from(StorageError::new(StorageErrorKind::DiskFull, "history.db is full"));
    /// assert_eq!(error.storage_kind(), Some(StorageErrorKind::DiskFull));
    /// assert_eq!(PersistenceError::NotConfigured.storage_kind(), None);
    /// ```
    pub fn storage_kind(&self) -> Option<StorageErrorKind> {
        match self {
            Self::Storage(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// The backend of this [name](crate::PersistenceBackend::name) panicked in the middle of a call.
    pub fn panicked(backend_name: &str) -> Self {
        Self::Backend(format!("{backend_name} panicked"))
    }

    /// Whether it is this one row that cannot be stored, so that those behind it still can.
    pub fn is_about_the_row(&self) -> bool {
        matches!(
            self,
            Self::Unstorable { .. } | Self::InvalidKey(_) | Self::Serialization(_)
        )
    }

    /// How a recorder should treat a row that met this error.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Storage(error) => match error.kind() {
                StorageErrorKind::DiskFull | StorageErrorKind::Busy => Retry::Forever,
                StorageErrorKind::Io | StorageErrorKind::Other => Retry::AFewTimes,
                _ => Retry::Never,
            },
            Self::Backend(_) => Retry::AFewTimes,
            _ => Retry::Never,
        }
    }
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The condition is known to pass: a lock is released, a disk is cleared.
    Forever,
    /// Nobody knows; a row that keeps failing must not hold up the others.
    AFewTimes,
    /// The same call would fail the same way.
    Never,
}

/// A failure of the storage below a backend: a kind to match on, a sentence to read, and its cause.
#[derive(Debug)]
pub struct StorageError {
    kind: StorageErrorKind,
    message: String,
    source: Option<BoxError>,
}

impl StorageError {
    /// A failure that names the file or table concerned and what to do.
    pub fn new(kind: StorageErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same failure with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for StorageError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}

/// The kinds of storage failure that callers treat differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// No room left: recording resumes by itself once there is.
    DiskFull,
    /// Another connection or process holds the lock: trying again helps.
    Busy,
    /// The file is damaged or not a database.
    Corrupt,
    /// The file, its folder or the backend may only be read.
    ReadOnly,
    /// The file cannot be opened: missing permission, a folder in its place, no such device.
    CannotOpen,
    /// The file was written by a newer version that this one must not touch.
    TooNew,
    /// Reading or writing failed below the file system.
    Io,
    /// Anything else; the source has the details.
    Other,
}
