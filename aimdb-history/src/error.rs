//! What a command can end with, and the exit code of each.

use std::io;
use std::path::{Path, PathBuf};

use aimdb_persistence_backend::PersistenceError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// What was asked makes no sense: a time, a filter, a field, a combination of options.
    #[error("{0}")]
    Usage(String),

    /// Nothing that is stored fits what was asked.
    #[error("{0}")]
    NothingFound(String),

    /// The work was done, and found something wrong: damage, rejected lines, a copy that is not equal.
    #[error("{0}")]
    Unwell(String),

    /// A change was not confirmed. Nothing was changed.
    #[error("{0}")]
    NotConfirmed(String),

    /// Ctrl-C, or a signal to end.
    #[error("interrupted")]
    Interrupted,

    /// The history's own error.
    #[error(transparent)]
    Persistence(#[from] PersistenceError),

    /// A file that is written or read beside the history.
    #[error("{}: {doing}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },

    /// The output could not be written.
    #[error("writing the output: {0}")]
    Output(#[from] io::Error),

    /// SQL that was given to `sql`.
    #[error("{0}")]
    Sql(String),
}

impl HistoryError {
    /// Of a file beside the history, for `map_err`.
    pub(crate) fn of_file(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            path,
            doing,
            source,
        }
    }

    /// Whether the reader of the output has gone. That is no failure: `head` does so.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code of a command that ends with it: 1 failed, 2 a command that makes no sense, 3 nothing found, 4 done
    /// and something is wrong, 5 not confirmed, 130 interrupted, 0 where the reader of the output has gone.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Sql(_) => 2,
            Self::NothingFound(_) => 3,
            Self::Unwell(_) => 4,
            Self::NotConfirmed(_) => 5,
            Self::Interrupted => 130,
            _ if self.is_closed_pipe() => 0,
            Self::Persistence(
                PersistenceError::InvalidPattern(_)
                | PersistenceError::InvalidQuery { .. }
                | PersistenceError::InvalidKey(_),
            ) => 2,
            Self::Persistence(_) | Self::File { .. } | Self::Output(_) => 1,
        }
    }
}
