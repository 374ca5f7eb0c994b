//! Setting a damaged file aside, with its log, so that nothing of it is touched any more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::Failure;
use crate::file::paths::{self, with_suffix};

/// The log, its index, and the file itself, in the order in which they are moved: should the process
/// end in between, the file is found without its log, which lies aside. The other way round, SQLite
/// would delete the log as soon as a new file is created at this path.
const PARTS: [&str; 3] = ["-wal", "-shm", ""];

/// Renames the file and its log; says where they lie now.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::of_io(path, "setting the damaged file aside", error);
    let aside = free_name(path)
        .map_err(|error| Failure::of_sqlite(path, "naming the damaged file", error))?;
    let mut moved = Vec::new();
    for part in PARTS {
        let (from, to) = (with_suffix(path, part), with_suffix(&aside, part));
        match fs::rename(&from, &to) {
            Ok(()) => moved.push((from, to)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !part.is_empty() => {}
            Err(error) => {
                // As it was, as far as that can be done.
                for (from, to) in moved {
                    let _ = fs::rename(to, from);
                }
                return Err(failed(error));
            }
        }
    }
    paths::sync_folder_of(path).map_err(failed)?;
    Ok(aside)
}

/// `history.db.corrupt-20260102T030405Z`, in UTC, or the like: never that of a file that exists.
fn free_name(path: &Path) -> rusqlite::Result<PathBuf> {
    let now = "SELECT strftime('.corrupt-%Y%m%dT%H%M%SZ')";
    let stamp: String = Connection::open_in_memory()?.query_row(now, [], |r| r.get(0))?;
    let is_free = |name: &PathBuf| PARTS.iter().all(|part| !with_suffix(name, part).exists());
    let first = with_suffix(path, &stamp);
    let further = (2_u64..).map(|n| with_suffix(&first, &format!("-{n}")));
    let mut names = std::iter::once(first.clone()).chain(further);
    Ok(names.find(is_free).expect("one of endless names is free"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_set_aside_in_the_same_second_keep_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let mut asides = Vec::new();
        for content in ["one", "two", "three"] {
            fs::write(&path, content).unwrap();
            fs::write(with_suffix(&path, "-wal"), content).unwrap();
            let aside = set_aside(&path).unwrap();
            assert!(!path.exists() && !with_suffix(&path, "-wal").exists());
            asides.push((aside, content));
        }
        for (aside, content) in asides {
            assert_eq!(fs::read_to_string(&aside).unwrap(), content);
            let log = with_suffix(&aside, "-wal");
            assert_eq!(fs::read_to_string(log).unwrap(), content);
        }
    }

    #[test]
    fn what_is_not_there_cannot_be_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        fs::write(with_suffix(&path, "-wal"), "a log alone").unwrap();
        assert!(set_aside(&path).is_err());
        assert!(with_suffix(&path, "-wal").exists(), "nothing was moved");
    }
}
