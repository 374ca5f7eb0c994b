//! Opening a history that nobody in this process writes.
//!
//! Reading with locks takes the log and its index beside the file. Where they are missing SQLite makes them, as files of
//! whoever reads. A recorder that runs as somebody else cannot open them. So they are made only by a connection that
//! removes them when it is closed, and that takes permission to write. Whatever the recorder itself has left stays.

use std::path::Path;
use std::time::Instant;

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::error::{During, Failure};
use crate::file::format::Content;
use crate::file::open::{UseTo, identify, leave_log_when_closed, while_busy};
use crate::file::open_here::OpenHere;
use crate::file::opened::{AsFound, Opened};
use crate::file::paths;
use crate::file::settings::{configure_reader, run_nothing_of_others};
use crate::file::side_by_side;
use crate::options::SqliteBackendBuilder;

/// A connection that only reads, where nobody in this process writes.
pub(crate) fn lone_reader(path: &Path, options: &SqliteBackendBuilder) -> Result<Opened, Failure> {
    side_by_side::check(path)?;
    let deadline = Instant::now() + options.busy_timeout;
    let (connection, content) = while_busy(deadline, || open(path, options))?;
    match content {
        Content::History { .. } => Ok(connection),
        Content::Nothing => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            path,
            "nothing has been recorded into it yet; let the recording program create it first",
        )),
        Content::Upstream | Content::Foreign(_) | Content::Altered(_) => Err(Failure::new(
            StorageErrorKind::ReadOnly,
            path,
            "it is in the format of the published aimdb-persistence-sqlite; open it once without `.read_only()` to \
             have it taken over",
        )),
    }
}

fn open(path: &Path, options: &SqliteBackendBuilder) -> Result<(Opened, Content), Failure> {
    let as_found = AsFound::now(path);
    match with_locks(path, &as_found, options)? {
        Some(opened) => Ok(opened),
        None => without_locks(path, as_found, options),
    }
}

/// `None` where it cannot be had, or would leave files behind.
fn with_locks(
    path: &Path,
    as_found: &AsFound,
    options: &SqliteBackendBuilder,
) -> Result<Option<(Opened, Content)>, Failure> {
    // SQLite opens a file for reading where it may not write. Nothing is read, and nothing is made.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = OpenHere::open(path, || Connection::open_with_flags(path, flags))?;
    let connection = Opened::of_file(opened).closed_in_turn();
    let doing = "opening it for reading";
    let may_write = !connection.is_readonly(MAIN_DB).during(path, doing)?;
    if !may_write && !as_found.is_in_use() {
        return Ok(None);
    }
    run_nothing_of_others(&connection).during(path, doing)?;
    leave_log_when_closed(&connection, true).during(path, doing)?;
    let configured = configure_reader(&connection, options).during(path, doing);
    let found = configured.and_then(|()| identify(&connection, path, UseTo::Read));
    // A file that is refused is not touched.
    let log_stays =
        AsFound::now(path).log_has_content() && (found.is_err() || is_all_of_one_owner(path));
    leave_log_when_closed(&connection, log_stays).during(path, doing)?;
    match found {
        Ok(content) => Ok(Some((connection, content))),
        // In a folder that it may not write to, SQLite answers with either, depending on what it tries first.
        Err(failure)
            if matches!(
                failure.kind(),
                StorageErrorKind::CannotOpen | StorageErrorKind::ReadOnly
            ) =>
        {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// Whether log and index are the file owner's: then they lock nobody out, and what is in the log stays there.
#[cfg(unix)]
fn is_all_of_one_owner(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|found| found.uid());
    let owners = ["-wal", "-shm"].map(|part| owner(&paths::with_suffix(path, part)));
    owners.iter().all(|of| *of == owner(path))
}

#[cfg(not(unix))]
fn is_all_of_one_owner(_path: &Path) -> bool {
    true
}

/// Reads the file as it is found. Whoever changes it makes what was read worthless, see [`Opened::vouch`].
fn without_locks(
    path: &Path,
    as_found: AsFound,
    options: &SqliteBackendBuilder,
) -> Result<(Opened, Content), Failure> {
    if as_found.log_has_content() {
        let what = "its log cannot be read here, where nothing may be written: let this program read the log and its \
             index (`-wal`, `-shm`), or copy file and log to a folder that it may write to";
        return Err(Failure::new(StorageErrorKind::CannotOpen, path, what));
    }
    let doing = "reading it where nothing may be written";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let uri = paths::immutable_uri(path);
    let opened = OpenHere::open(path, || Connection::open_with_flags(&uri, flags))?;
    let connection = Opened::of_file(opened).unlocked(as_found);
    run_nothing_of_others(&connection).during(path, doing)?;
    configure_reader(&connection, options).during(path, doing)?;
    let content = identify(&connection, path, UseTo::Read)?;
    connection.vouch().during(path, doing)?;
    Ok((connection, content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::open;

    /// Between two looks at the file, too: what was read meanwhile is not used.
    #[test]
    fn what_was_read_without_locks_is_not_vouched_for_once_a_recorder_has_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let options = SqliteBackendBuilder::new(path.clone());
        open::writer(&path, &options).unwrap().close().unwrap();
        let found = AsFound::now(&path);
        let (reader, _) = without_locks(&path, found, &options).unwrap();
        reader.vouch().unwrap();
        let _recorder = open::writer(&path, &options).unwrap();
        let refused = Err::<(), _>(reader.vouch().unwrap_err()).during(&path, "reading");
        assert_eq!(refused.unwrap_err().kind(), StorageErrorKind::Busy);
    }
}
