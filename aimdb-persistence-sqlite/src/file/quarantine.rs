//! Setting a damaged file aside, with its log, so that nothing of it is touched any more.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aimdb_persistence_backend::{FreshStart, StorageErrorKind};
use rusqlite::Connection;

use crate::error::{During, Failure};
use crate::file::damage::SECOND_LOOK_AFTER;
use crate::file::identity::FileIdentity;
use crate::file::open;
use crate::file::opened::Opened;
use crate::file::paths::{self, with_suffix};
use crate::health::Health;
use crate::options::{OnCorruption, SqliteBackendBuilder};
use crate::report;

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
    finish(path, health)?;
    let identity = FileIdentity::of(path);
    let is_damage = |opened: &Result<_, Failure>| {
        opened
            .as_ref()
            .is_err_and(|failure| failure.kind() == StorageErrorKind::Corrupt)
    };
    let mut opened = open::writer(path, options);
    if is_damage(&opened) {
        // SQLite says the same of a read that the disk refused, and that may read a moment later.
        std::thread::sleep(SECOND_LOOK_AFTER);
        opened = open::writer(path, options);
    }
    match opened {
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
    let aside = free_name(path, ".corrupt-", &PARTS).during(path, "naming the damaged file")?;
    begin(path, &aside)
        .and_then(|()| rename_parts(path, &aside))
        .and_then(|()| paths::sync_folder_of(path))
        .and_then(|()| remove_note(path))
        .during(path, "setting the damaged file aside")?;
    Ok(aside)
}

/// A file beside, for as long as the parts are on their way: it says which file goes where. Should the process end in
/// between, the next one finishes what was begun.
fn note_of(path: &Path) -> PathBuf {
    with_suffix(path, "-quarantine")
}

/// The first line of a note. A file without it is somebody else's, and left alone.
const NOTE_SIGN: &str = "aimdb-persistence-sqlite sets a damaged file aside";

fn begin(path: &Path, aside: &Path) -> io::Result<()> {
    let name = aside.file_name().unwrap_or_default().to_string_lossy();
    let note = format!("{NOTE_SIGN}\n{}\n{name}", FileIdentity::of(path).text());
    // One that was left is of a file that has gone since.
    remove_note(path)?;
    match paths::create_new(&note_of(path), 0o600) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            report::warn(&format!(
                "{}: this file is in the way of a note; should the program be killed in this moment, the damaged file \
                 and its log lie apart",
                note_of(path).display()
            ));
            Ok(())
        }
        created => {
            let mut file = created?;
            file.write_all(note.as_bytes())?;
            file.sync_all()
        }
    }
}

/// What the note says: which file, and its new name. `None` where there is none, or a file that is not ours.
#[expect(
    clippy::disallowed_methods,
    reason = "a note is no database, and has no locks"
)]
fn read_note(path: &Path) -> io::Result<Option<(String, PathBuf)>> {
    const LONGEST: u64 = 4_096;
    let is_read = match fs::symlink_metadata(note_of(path)) {
        Ok(found) => found.is_file() && found.len() <= LONGEST,
        Err(_) => false,
    };
    if !is_read {
        return Ok(None);
    }
    let note = fs::read(note_of(path))?;
    let note = String::from_utf8_lossy(&note).into_owned();
    let mut lines = note.splitn(3, '\n');
    // One that was not written to its end is of before anything was moved, and so is the file that lies there.
    if lines.next() != Some(NOTE_SIGN) && !NOTE_SIGN.starts_with(&note) {
        return Ok(None);
    }
    let (file, name) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let is_name = Path::new(name).file_name() == Some(name.as_ref());
    let file = if is_name { file } else { "" };
    Ok(Some((file.to_owned(), path.with_file_name(name))))
}

fn remove_note(path: &Path) -> io::Result<()> {
    if read_note(path)?.is_none() {
        return Ok(());
    }
    match fs::remove_file(note_of(path)) {
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Finishes setting aside what a process that has ended has begun to.
fn finish(path: &Path, health: &Health) -> Result<(), Failure> {
    let doing = "finishing to set a damaged file aside";
    let Some((file, aside)) = read_note(path).during(path, doing)? else {
        return Ok(());
    };
    if file == FileIdentity::of(path).text() {
        rename_parts(path, &aside)
            .and_then(|()| paths::sync_folder_of(path))
            .during(path, doing)?;
        let reason = format!("{}: it was damaged", path.display());
        let start = FreshStart::new(reason).set_aside(aside.display().to_string());
        health.note_fresh_start(start);
    }
    remove_note(path).during(path, doing)
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
pub(crate) fn free_name(path: &Path, what: &str, parts: &[&str]) -> rusqlite::Result<PathBuf> {
    let now = "SELECT strftime('%Y%m%dT%H%M%SZ')";
    let stamp: String = Connection::open_in_memory()?.query_row(now, [], |r| r.get(0))?;
    let is_free = |name: &PathBuf| {
        let mut parts = parts.iter().map(|part| with_suffix(name, part));
        parts.all(|part| fs::symlink_metadata(part).is_err())
    };
    let first = with_suffix(path, &format!("{what}{stamp}"));
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
    fn whenever_the_process_ends_while_a_file_is_set_aside_the_next_one_finishes_it() {
        for moved in 0..=PARTS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("history.db");
            for part in PARTS {
                fs::write(with_suffix(&path, part), format!("damaged{part}")).unwrap();
            }
            let aside = folder.path().join("history.db.corrupt-1");
            begin(&path, &aside).unwrap();
            for part in &PARTS[..moved] {
                fs::rename(with_suffix(&path, part), with_suffix(&aside, part)).unwrap();
            }
            let health = Health::default();
            let options = SqliteBackendBuilder::new(path.clone());
            open_or_set_aside(&path, &options, &health).unwrap();
            for part in PARTS {
                let content = fs::read_to_string(with_suffix(&aside, part)).unwrap();
                assert_eq!(content, format!("damaged{part}"), "{moved} moved before");
            }
            let told = usize::from(moved < PARTS.len());
            assert_eq!(health.report().fresh_starts.len(), told);
            assert!(!note_of(&path).exists());
        }
    }

    #[test]
    fn a_note_about_another_file_moves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        fs::write(&path, "damaged").unwrap();
        begin(&path, &folder.path().join("aside")).unwrap();
        fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        fs::write(&path, "").unwrap();
        let options = SqliteBackendBuilder::new(path.clone());
        open_or_set_aside(&path, &options, &Health::default()).unwrap();
        assert!(path.exists() && !folder.path().join("aside").exists());
        assert!(!note_of(&path).exists());
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
