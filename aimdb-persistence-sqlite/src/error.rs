//! From SQLite's and the file system's failures to the contract's: a kind, a file, and what to do.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use aimdb_persistence_backend::{PersistenceError, StorageError, StorageErrorKind};
use rusqlite::{Connection, ErrorCode, ffi};

/// A failure that every caller of a transaction can be told: unlike `PersistenceError` it can be cloned.
#[derive(Clone)]
pub(crate) struct Failure {
    kind: StorageErrorKind,
    message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(kind: StorageErrorKind, path: &Path, what: impl fmt::Display) -> Self {
        Self {
            kind,
            message: format!("{}: {what}", path.display()),
            source: None,
        }
    }

    /// SQLite refused while `doing` something with the file.
    fn of_sqlite(path: &Path, doing: &str, error: rusqlite::Error) -> Self {
        let kind = kind_of(&error);
        let message = match advice(kind) {
            Some(advice) => format!("{doing} failed: {error}; {advice}"),
            None => format!("{doing} failed: {error}"),
        };
        Self::new(kind, path, message).caused_by(error)
    }

    /// The file system refused while `doing` something with the file.
    fn of_io(path: &Path, doing: &str, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageErrorKind::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem => StorageErrorKind::ReadOnly,
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::InvalidInput => StorageErrorKind::CannotOpen,
            _ => StorageErrorKind::Io,
        };
        Self::new(kind, path, format!("{doing} failed: {error}")).caused_by(error)
    }

    fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn kind(&self) -> StorageErrorKind {
        self.kind
    }
}

/// Says what was being done with which file when it failed.
pub(crate) trait During<T> {
    /// `doing` begins the sentence: `"opening it"`, `"storing rows"`.
    fn during(self, path: &Path, doing: &str) -> Result<T, Failure>;
}

impl<T> During<T> for rusqlite::Result<T> {
    fn during(self, path: &Path, doing: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::of_sqlite(path, doing, error))
    }
}

impl<T> During<T> for io::Result<T> {
    fn during(self, path: &Path, doing: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::of_io(path, doing, error))
    }
}

/// A plain connection gives itself back when it cannot be closed.
impl During<()> for Result<(), (Connection, rusqlite::Error)> {
    fn during(self, path: &Path, doing: &str) -> Result<(), Failure> {
        self.map_err(|(_, error)| Failure::of_sqlite(path, doing, error))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Failure> for PersistenceError {
    fn from(failure: Failure) -> Self {
        let error = StorageError::new(failure.kind, failure.message);
        Self::Storage(match failure.source {
            Some(source) => error.with_source(source),
            None => error,
        })
    }
}

/// SQLite finds nothing wrong with the file, and still it is not as it was written.
pub(crate) fn damage(what: impl fmt::Display) -> rusqlite::Error {
    let corrupt = ffi::Error {
        code: ErrorCode::DatabaseCorrupt,
        extended_code: ffi::SQLITE_CORRUPT,
    };
    rusqlite::Error::SqliteFailure(corrupt, Some(what.to_string()))
}

pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    kind_of(error) == StorageErrorKind::Busy
}

pub(crate) fn is_corrupt(error: &rusqlite::Error) -> bool {
    kind_of(error) == StorageErrorKind::Corrupt
}

fn kind_of(error: &rusqlite::Error) -> StorageErrorKind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StorageErrorKind::DiskFull,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => StorageErrorKind::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StorageErrorKind::Corrupt,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StorageErrorKind::ReadOnly,
        Some(ErrorCode::CannotOpen) => StorageErrorKind::CannotOpen,
        Some(ErrorCode::SystemIoFailure) => StorageErrorKind::Io,
        Some(_) => StorageErrorKind::Other,
        // SQLite answered, but not in the shape of a file that this crate wrote.
        None => match error {
            rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::FromSqlConversionFailure(..) => StorageErrorKind::Corrupt,
            _ => StorageErrorKind::Other,
        },
    }
}

fn advice(kind: StorageErrorKind) -> Option<&'static str> {
    match kind {
        StorageErrorKind::DiskFull => Some("free some space, then try again"),
        StorageErrorKind::Busy => Some("another program holds its lock: try again"),
        StorageErrorKind::Corrupt => Some("restore it from a backup or choose another path"),
        StorageErrorKind::ReadOnly => {
            Some("make the file and its folder writable, or open it with `.read_only()`")
        }
        StorageErrorKind::CannotOpen => Some("check the path and its permissions"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_failures_keep_their_kind_their_file_and_their_source() {
        for (code, kind) in [
            (ffi::SQLITE_FULL, StorageErrorKind::DiskFull),
            (ffi::SQLITE_BUSY, StorageErrorKind::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, StorageErrorKind::Busy),
            (ffi::SQLITE_LOCKED, StorageErrorKind::Busy),
            (ffi::SQLITE_CORRUPT, StorageErrorKind::Corrupt),
            (ffi::SQLITE_NOTADB, StorageErrorKind::Corrupt),
            (ffi::SQLITE_READONLY, StorageErrorKind::ReadOnly),
            (ffi::SQLITE_PERM, StorageErrorKind::ReadOnly),
            (ffi::SQLITE_CANTOPEN, StorageErrorKind::CannotOpen),
            (ffi::SQLITE_IOERR_FSYNC, StorageErrorKind::Io),
            (ffi::SQLITE_NOMEM, StorageErrorKind::Other),
        ] {
            let sqlite = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let failed = Err::<(), _>(sqlite).during(Path::new("history.db"), "a commit");
            let error = PersistenceError::from(failed.unwrap_err());
            assert_eq!(error.storage_kind(), Some(kind), "code {code}");
            assert!(error.to_string().starts_with("history.db: a commit failed"));
            assert!(error.source().is_some());
        }
    }
}
