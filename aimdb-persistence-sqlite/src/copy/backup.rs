//! A copy of the history as it is at one moment, taken while it is recorded.

use std::fs;
use std::io;
use std::path::Path;

use aimdb_persistence::StorageErrorKind;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::error::Failure;
use crate::file::paths::{self, with_suffix};

/// Copied before it is looked whether the copy is still wanted: four megabytes.
const STEP_PAGES: i32 = 1_024;

/// Copies what `source` sees at this moment to a new file at `to`, which appears there when it is complete.
pub(crate) fn copy(
    source: &Connection,
    to: &Path,
    file_mode: u32,
    is_wanted: impl Fn() -> bool,
) -> Result<(), Failure> {
    let to = &paths::locate(to)?;
    refuse_existing(to)?;
    let partial = &with_suffix(to, ".partial");
    paths::create_new(partial, file_mode).map_err(|error| not_begun(partial, error))?;
    let copied = fill(source, partial, &is_wanted).and_then(|()| {
        refuse_existing(to)?;
        fs::rename(partial, to)
            .and_then(|()| paths::sync_folder_of(to))
            .map_err(|error| Failure::of_io(to, "naming the complete backup", error))
    });
    if copied.is_err() {
        // What keeps it from being removed has kept it from being written, and that is what is told.
        let _ = fs::remove_file(partial);
    }
    copied
}

fn refuse_existing(to: &Path) -> Result<(), Failure> {
    match to.symlink_metadata() {
        Ok(_) => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            to,
            "there is a file of this name, and a backup overwrites nothing; choose another path",
        )),
        Err(_) => Ok(()),
    }
}

fn not_begun(partial: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(
            StorageErrorKind::CannotOpen,
            partial,
            "another backup to this path is under way, or one was interrupted; in the latter case remove this file",
        ),
        _ => Failure::of_io(partial, "creating the backup", error),
    }
}

/// The source's snapshot is held from the first step to the last: without it, each commit meanwhile would make the copy
/// begin anew. The log grows by what is committed.
fn fill(source: &Connection, to: &Path, is_wanted: &impl Fn() -> bool) -> Result<(), Failure> {
    let failed = |error| Failure::of_sqlite(to, "copying the history", error);
    let snapshot = source.unchecked_transaction().map_err(failed)?;
    let begin = "SELECT count(*) FROM sqlite_schema";
    snapshot.query_row(begin, [], |_| Ok(())).map_err(failed)?;
    let mut copy = Connection::open(to).map_err(failed)?;
    // A copy that is interrupted is thrown away as a whole.
    copy.pragma_update(None, "journal_mode", "OFF")
        .map_err(failed)?;
    let backup = Backup::new(&snapshot, &mut copy).map_err(failed)?;
    while backup.step(STEP_PAGES).map_err(failed)? != StepResult::Done {
        if !is_wanted() {
            let what = "copying the history ended half-way: its caller has gone, or the backend was closed";
            return Err(Failure::new(StorageErrorKind::Other, to, what));
        }
    }
    drop(backup);
    copy.close().map_err(|(_, error)| failed(error))?;
    fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error| Failure::of_io(to, "syncing the backup", error))
}
