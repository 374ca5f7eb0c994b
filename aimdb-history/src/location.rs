//! Where a history is, and opening it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use aimdb_persistence::Archive;
use aimdb_persistence_backend::{PersistenceBackend, StorageError, StorageErrorKind};
use aimdb_persistence_sqlite::SqliteBackend;

use crate::error::HistoryError;

/// A history's place: a SQLite file, or the address of a server.
///
/// ```
/// use aimdb_history::Location;
///
/// assert!(matches!(Location::of("data/history.db"), Location::File(_)));
/// assert!(matches!(Location::of("postgresql://db.example/plant"), Location::Server(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    File(PathBuf),
    /// The address of a PostgreSQL server.
    Server(String),
}

/// What will be done with the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is read, and left as it is.
    Read,
    /// It is changed; it must exist.
    Change,
    /// It is written into, and made if it is missing.
    Fill,
}

impl Location {
    /// Of a path or a URL.
    pub fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        match ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
        {
            true => Self::Server(text),
            false => Self::File(text.into()),
        }
    }

    /// The file, of a history in one.
    ///
    /// # Errors
    /// [`HistoryError::Usage`]: `command` works on files alone.
    pub fn file(&self, command: &str) -> Result<&PathBuf, HistoryError> {
        match self {
            Self::File(path) => Ok(path),
            Self::Server(_) => Err(HistoryError::Usage(format!(
                "`{command}` works on a SQLite file; a server has its own tools for that"
            ))),
        }
    }

    /// Opens the history.
    ///
    /// # Errors
    /// The backend's, if there is no history at this place.
    pub async fn open(&self, purpose: Purpose) -> Result<OpenHistory, HistoryError> {
        match self {
            Self::File(path) => {
                if purpose == Purpose::Change && !path.exists() {
                    let missing = format!("{}: there is no such file", path.display());
                    let error = StorageError::new(StorageErrorKind::CannotOpen, missing);
                    return Err(HistoryError::Persistence(error.into()));
                }
                let builder = SqliteBackend::builder(path);
                let backend = match purpose {
                    Purpose::Read => builder.read_only().open()?,
                    Purpose::Change | Purpose::Fill => builder.open()?,
                };
                let archive = Archive::open(Arc::new(backend.clone())).await?;
                Ok(OpenHistory {
                    backend: Arc::new(backend.clone()),
                    archive,
                    file: Some(backend),
                })
            }
            Self::Server(_) => Err(HistoryError::Usage(
                "a history on a PostgreSQL server needs the feature `postgres`, which this program was built without"
                    .to_owned(),
            )),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(url) => f.write_str(without_password(url)),
        }
    }
}

/// The part of a URL that may be shown.
fn without_password(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, server)| server)
}

/// A history that is open.
#[derive(Clone)]
pub struct OpenHistory {
    /// What stores it.
    pub backend: Arc<dyn PersistenceBackend>,
    /// What is asked.
    pub archive: Archive,
    /// Of a SQLite file, its backend.
    pub file: Option<SqliteBackend>,
}

impl OpenHistory {
    /// Of a backend that is open already.
    ///
    /// # Errors
    /// The backend's, if it cannot be initialised.
    pub async fn of(backend: Arc<dyn PersistenceBackend>) -> Result<Self, HistoryError> {
        Ok(Self {
            archive: Archive::open(Arc::clone(&backend)).await?,
            backend,
            file: None,
        })
    }

    /// Writes what is under way, and closes the file.
    ///
    /// # Errors
    /// The backend's, if its last sync fails.
    pub async fn close(self) -> Result<(), HistoryError> {
        match &self.file {
            Some(file) => Ok(file.close().await?),
            None => Ok(self.backend.flush().await?),
        }
    }
}

impl fmt::Debug for OpenHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenHistory")
            .field(&self.backend.name())
            .finish()
    }
}
