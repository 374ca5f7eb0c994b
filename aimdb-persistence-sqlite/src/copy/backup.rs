//! A consistent copy of the history, taken while recording continues.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::error::{During, Failure};
use crate::file::paths::{self, with_suffix};

/// Four megabytes: copied before it is asked again whether the copy is still wanted.
const STEP_PAGES: i32 = 1_024;

/// Copies what `source` sees at this moment to a new file at `to`, which appears there when it is complete.
pub(crate) fn copy(
    source: &Connection,
    to: &Path,
    file_mode: u32,
    is_wanted: impl Fn() -> bool,
) -> Result<(), Failure> {
    let to = &paths::locate_new(to)?;
    let partial = &with_suffix(to, ".partial");
    let file = create(partial, file_mode)?;
    let copied = fill(source, partial, &is_wanted)
        .and_then(|()| file.sync_all().during(partial, "syncing the backup"))
        .and_then(|()| paths::name_complete(partial, to));
    if copied.is_err() {
        // If it cannot be removed, the cause is the one that the caller is told.
        let _ = fs::remove_file(partial);
    }
    copied
}

fn create(partial: &Path, file_mode: u32) -> Result<File, Failure> {
    paths::refuse_beside(partial)?;
    match paths::create_new(partial, file_mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            partial,
            "another backup to this path is under way, or one was interrupted; in the latter case remove this file",
        )),
        created => created.during(partial, "creating the backup"),
    }
}

/// The source's snapshot is held from the first step to the last. Without it, each commit meanwhile makes the copy begin
/// again. The log grows by what is committed.
fn fill(source: &Connection, to: &Path, is_wanted: &impl Fn() -> bool) -> Result<(), Failure> {
    let doing = "copying the history";
    let snapshot = source.unchecked_transaction().during(to, doing)?;
    let begin = "SELECT count(*) FROM sqlite_schema";
    snapshot
        .query_row(begin, [], |_| Ok(()))
        .during(to, doing)?;
    let mut copy = Connection::open(to).during(to, doing)?;
    // A copy that is interrupted is thrown away as a whole.
    copy.pragma_update(None, "journal_mode", "OFF")
        .during(to, doing)?;
    let backup = Backup::new(&snapshot, &mut copy).during(to, doing)?;
    while backup.step(STEP_PAGES).during(to, doing)? != StepResult::Done {
        if !is_wanted() {
            let what = "copying the history ended half-way: its caller has gone, or the backend was closed";
            return Err(Failure::new(StorageErrorKind::Other, to, what));
        }
    }
    drop(backup);
    copy.close().during(to, doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_that_nobody_waits_for_any_more_ends_half_way_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let source = Connection::open_in_memory().unwrap();
        let of_three_steps = "CREATE TABLE t AS SELECT randomblob(12 << 20) AS bytes";
        source.execute_batch(of_three_steps).unwrap();
        let to = folder.path().join("copy.db");
        let mut looks = 0..2;
        let is_wanted = std::cell::RefCell::new(&mut looks);
        let copied = copy(&source, &to, 0o600, || {
            is_wanted.borrow_mut().next().is_some()
        });
        let error = copied.unwrap_err().to_string();
        assert!(error.contains("half-way"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        copy(&source, &to, 0o600, || true).unwrap();
        assert!(to.exists(), "it may be made again");
    }
}
