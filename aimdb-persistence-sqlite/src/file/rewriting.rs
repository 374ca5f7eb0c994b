//! Writing the log again after a sync that failed, and when the file is opened: what SQLite takes for written may not be on
//! the disk.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::{Connection, ErrorCode, ffi};

use crate::error::{During, Failure};
use crate::file::frames::{self, Extent};
use crate::file::paths;
use crate::layout::transaction;

/// How often the log may have grown while it was written again, by others' commits.
const MOST_LOOKS: u32 = 20;

/// From here on SQLite says how long the log is without copying it.
const TELLS_LENGTH: i32 = 3_051_000;

/// Writes a log again whose past is not known, as a whole.
pub(crate) fn write_all_again(
    connection: &Connection,
    database: &Path,
    patience: Duration,
) -> Result<(), Failure> {
    let path = paths::log_of(database);
    // Where there is nothing to write, nobody's lock is waited for.
    if fs::metadata(&path).is_ok_and(|log| log.len() == 0) {
        return Ok(());
    }
    match File::options().read(true).write(true).open(&path) {
        Ok(log) => write_again(&log, connection, database, None, None, patience).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).during(&path, "opening it to write it again"),
    }
}

/// Writes what lies behind `synced` in the log of a database again and syncs it; gives how far the log reaches.
///
/// # Errors
/// If that fails once more, or what was `committed` cannot be read back as it was.
pub(crate) fn write_again(
    log: &File,
    connection: &Connection,
    database: &Path,
    synced: Option<Extent>,
    committed: Option<Extent>,
    patience: Duration,
) -> Result<Option<Extent>, Failure> {
    let path = paths::log_of(database);
    let doing = "writing its log again after a failed sync";
    for _ in 0..MOST_LOOKS {
        transaction::begin_write(connection, patience).during(database, doing)?;
        let whole = frames::write_again(log, synced);
        let version = data_version(connection);
        connection
            .execute_batch("ROLLBACK")
            .during(database, doing)?;
        let whole = whole.during(&path, doing)?;
        let found = whole.map_or(0, |whole| whole.frames);
        let of_this_log = |own: &Extent| whole.is_some_and(|whole| whole.salts == own.salts);
        let written = match length(connection).during(database, doing)? {
            Some(frames) => frames,
            None => committed
                .filter(of_this_log)
                .map_or(0, |own| own.frames.into()),
        };
        if written <= i64::from(found) {
            return Ok(whole);
        }
        if version.during(database, doing)? == data_version(connection).during(database, doing)? {
            return Err(Failure::new(
                StorageErrorKind::Corrupt,
                &path,
                format!(
                    "a sync failed, and of {written} frames that were written {found} can be read back as they were"
                ),
            ));
        }
    }
    Err(Failure::new(
        StorageErrorKind::Busy,
        &path,
        "others write without pause while it is written again",
    ))
}

/// Of the log as SQLite has it, in frames; `None` where it does not tell.
fn length(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    if rusqlite::version_number() < TELLS_LENGTH {
        return Ok(None);
    }
    connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |r| r.get(1).map(Some))
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |r| r.get(0))
}

/// Whether pages may count as written that are not.
pub(crate) fn may_have_lost_pages(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(error, _) = error else {
        return false;
    };
    error.code == ErrorCode::SystemIoFailure
        && matches!(
            error.extended_code,
            ffi::SQLITE_IOERR_FSYNC
                | ffi::SQLITE_IOERR_DIR_FSYNC
                | ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_TRUNCATE
        )
}
