//! Where a history lies: in a file, or in memory.

use std::path::{Path, PathBuf};

/// SQLite's name for a database without a file.
const IN_MEMORY: &str = ":memory:";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    InMemory,
    File(PathBuf),
}

impl Location {
    /// `:memory:` names a database in memory, everything else a file.
    pub(crate) fn of(path: PathBuf) -> Self {
        match path.as_os_str() == IN_MEMORY {
            true => Self::InMemory,
            false => Self::File(path),
        }
    }

    /// As callers name it, and as errors do.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::InMemory => Path::new(IN_MEMORY),
            Self::File(path) => path,
        }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::InMemory => None,
            Self::File(path) => Some(path),
        }
    }
}
