//! Which file an open connection reads and writes. Another one may lie at its path by now.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Device and number of a file; `None` where the system does not tell.
type DeviceAndNumber = Option<(u64, u64)>;

/// The file that was at a path when a connection to it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    path: PathBuf,
    identity: DeviceAndNumber,
}

impl FileIdentity {
    pub(crate) fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            identity: identity(path).ok().flatten(),
        }
    }

    /// Whether there was a file, of which the system tells which one it is.
    pub(crate) fn is_known(&self) -> bool {
        self.identity.is_some()
    }

    /// As text that can be compared with another one's.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.identity)
    }

    /// Whether the file has been moved, removed or replaced since. What is written through the connection then does not
    /// reach the path.
    pub(crate) fn is_lost(&self) -> bool {
        self.identity.is_some()
            && match identity(&self.path) {
                Ok(identity) => identity != self.identity,
                Err(error) => matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ),
            }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<DeviceAndNumber> {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(path)?;
    Ok(Some((file.dev(), file.ino())))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<DeviceAndNumber> {
    fs::metadata(path).map(|_| None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_lost_when_it_is_moved_removed_or_replaced_and_not_when_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let other = folder.path().join("other.db");
        fs::write(&path, "1").unwrap();
        let file = FileIdentity::of(&path);
        fs::write(&path, "12").unwrap();
        assert!(!file.is_lost());
        fs::rename(&path, &other).unwrap();
        assert!(file.is_lost(), "moved");
        fs::write(&path, "12").unwrap();
        assert!(file.is_lost(), "replaced");
        fs::rename(&other, &path).unwrap();
        assert!(!file.is_lost(), "it is back");
        fs::remove_file(&path).unwrap();
        assert!(file.is_lost(), "removed");
        assert!(
            !FileIdentity::of(Path::new(":memory:")).is_lost(),
            "there never was one"
        );
    }
}
