//! Setting a damaged file aside, with its log, so that nothing of it is touched any more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aimdb_persistence_backend::{FreshStart, StorageErrorKind};
use rusqlite::Connection;

use crate::error::{During, Failure};
use crate::file::identity::FileIdentity;
use crate::file::open;
use crate::file::opened::Opened;
use crate::file::paths::{self, with_suffix};
use crate::health::Health;
use crate::options::{OnCorruption, SqliteBackendBuilder};

/// The log, its index, and the file itself, in the order in which they are moved. If the process ends in between, the
/// file is found without its log, which lies aside. In the other order SQLite would delete the log as soon as a new file
/// is created at this path.
const PARTS: [&str; 3] = ["-wal", "-shm", ""];

/// A run sets so many files aside at most. More would only fill a failing disk with copies.
const MOST_FRESH_STARTS: usize = 8;

/// Opens the file for writing. A damaged one is set aside first, where the options say so.
pub(crate) fn open_or_set_aside(
    path: &Path,
    options: &SqliteBackendBuilder,
    health: &Health,
) -> Result<Opened, Failure> {
    let identity = FileIdentity::of(path);
    match open::writer(path, options) {
        Err(failure)
            if failure.kind() == StorageErrorKind::Corrupt
                && options.on_corruption == OnCorruption::Quarantine =>
        {
            set_aside(path, &identity, &failure, health)?;
            open::writer(path, options)
        }
        opened => opened,
    }
}

/// Sets the damaged file aside. Another process may have been quicker: then the file that lies at the path by now is
/// another one, and stays.
pub(crate) fn set_aside(
    path: &Path,
    damaged: &FileIdentity,
    damage: &Failure,
    health: &Health,
) -> Result<(), Failure> {
    if damaged.is_lost() {
        return Ok(());
    }
    if health.report().fresh_starts.len() >= MOST_FRESH_STARTS {
        return Err(damage.clone());
    }
    let aside = rename(path)?;
    let start = FreshStart::new(damage.to_string()).set_aside(aside.display().to_string());
    health.note_fresh_start(start);
    Ok(())
}

/// Renames the file and its log; says where they lie now.
fn rename(path: &Path) -> Result<PathBuf, Failure> {
    let aside = free_name(path).during(path, "naming the damaged file")?;
    rename_parts(path, &aside)
        .and_then(|()| paths::sync_folder_of(path))
        .during(path, "setting the damaged file aside")?;
    Ok(aside)
}

fn rename_parts(path: &Path, aside: &Path) -> io::Result<()> {
    let mut moved = Vec::new();
    for part in PARTS {
        let (from, to) = (with_suffix(path, part), with_suffix(aside, part));
        match fs::rename(&from, &to) {
            Ok(()) => moved.push((from, to)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !part.is_empty() => {}
            Err(error) => {
                // As it was, as far as that can be done.
                for (from, to) in moved {
                    let _ = fs::rename(to, from);
                }
                return Err(error);
            }
        }
    }
    Ok(())
}

/// `history.db.corrupt-20260102T030405Z`, in UTC; with a number at its end where there is such a file already.
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
            let aside = rename(&path).unwrap();
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
        assert!(rename(&path).is_err());
        assert!(with_suffix(&path, "-wal").exists(), "nothing was moved");
    }

    #[test]
    fn a_file_is_not_set_aside_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let health = Health::default();
        let damage = Failure::new(StorageErrorKind::Corrupt, &path, "damaged");
        for n in 1..=MOST_FRESH_STARTS + 1 {
            fs::write(&path, "damaged").unwrap();
            let is_set_aside = set_aside(&path, &FileIdentity::of(&path), &damage, &health).is_ok();
            assert_eq!(is_set_aside, n <= MOST_FRESH_STARTS);
            assert_eq!(is_set_aside, !path.exists());
        }
        assert_eq!(health.report().fresh_starts.len(), MOST_FRESH_STARTS);
    }

    #[test]
    fn the_new_file_of_somebody_who_was_quicker_is_not_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        fs::write(&path, "damaged").unwrap();
        let identity = FileIdentity::of(&path);
        fs::rename(&path, folder.path().join("aside")).unwrap();
        fs::write(&path, "new").unwrap();
        let damage = Failure::new(StorageErrorKind::Corrupt, &path, "damaged");
        set_aside(&path, &identity, &damage, &Health::default()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}
