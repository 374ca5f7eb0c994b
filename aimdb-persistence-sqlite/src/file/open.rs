//! Opening connections: whose file it is, and made ready.

use std::path::Path;
use std::time::{Duration, Instant};

use aimdb_persistence::StorageErrorKind;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::error::Failure;
use crate::file::log;
use crate::file::paths;
use crate::file::schema::{self, Content};
use crate::file::settings::{configure, configure_reader, configure_writer, copy_nothing_unasked};
use crate::file::takeover;
use crate::options::SqliteBackendBuilder;
use crate::report;

/// The connection that writes, on a file that is this crate's from now on.
pub(crate) fn writer(path: &Path, options: &SqliteBackendBuilder) -> Result<Connection, Failure> {
    paths::create_if_missing(path, options.file_mode)?;
    let has_log = paths::log_of(path).exists();
    let failed = |error| Failure::of_sqlite(path, "opening it", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection
        .busy_timeout(options.busy_timeout)
        .map_err(failed)?;
    // A file that is refused is not touched, not even by closing it.
    leave_log_when_closed(&connection, has_log).map_err(failed)?;
    // SQLite falls back to reading where it may not write. Asked before the first look,
    // which would leave a log beside the file that nobody may write either.
    if connection.is_readonly(MAIN_DB).map_err(failed)? {
        return Err(Failure::new(
            StorageErrorKind::ReadOnly,
            path,
            "it may not be written; change its permissions, or open it with `.read_only()`",
        ));
    }
    let deadline = Instant::now() + options.busy_timeout;
    while_busy(deadline, || look_at(&connection, path))?;
    if options.check_on_open {
        while_busy(deadline, || check(&connection, path))?;
    }
    copy_nothing_unasked(&connection).map_err(failed)?;
    while_busy(deadline, || use_log(&connection, path))?;
    // Whoever recorded before may have ended because a sync failed: what it left is right, and perhaps not on the disk.
    log::write_again(&connection, path, None, None, options.busy_timeout)?;
    make_ready(&mut connection, path)?;
    settle_free_pages(&connection, path)?;
    // SQLite does so when it creates the log, and does not say whether that failed.
    paths::sync_folder_of(path)
        .map_err(|error| Failure::of_io(path, "syncing its folder", error))?;
    configure_writer(&connection, options).map_err(failed)?;
    leave_log_when_closed(&connection, false).map_err(failed)?;
    Ok(connection)
}

/// Whether the connection, should it be the last one, leaves the log beside the file instead of
/// folding it in.
pub(crate) fn leave_log_when_closed(connection: &Connection, leave: bool) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave)
        .map(drop)
}

/// Looks for damage in the whole file.
fn check(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |r| r.get(0))
        .map_err(|error| Failure::of_sqlite(path, "checking it", error))?;
    match found.as_str() {
        "ok" => Ok(()),
        damage => Err(Failure::new(
            StorageErrorKind::Corrupt,
            path,
            format!("checking it found damage: {damage}"),
        )),
    }
}

/// A database without a file: one connection, for reading and writing alike.
pub(crate) fn in_memory() -> Result<Connection, Failure> {
    let path = Path::new(paths::IN_MEMORY);
    let failed = |error| Failure::of_sqlite(path, "opening it", error);
    let mut connection = Connection::open_in_memory().map_err(failed)?;
    configure(&connection).map_err(failed)?;
    make_ready(&mut connection, path)?;
    Ok(connection)
}

/// A connection that only reads, beside a writer of this process.
pub(crate) fn reader(path: &Path, options: &SqliteBackendBuilder) -> Result<Connection, Failure> {
    let failed = |error| Failure::of_sqlite(path, "opening it for reading", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    configure_reader(&connection, options).map_err(failed)?;
    Ok(connection)
}

/// A connection that only reads, where nobody in this process writes.
pub(crate) fn lone_reader(
    path: &Path,
    options: &SqliteBackendBuilder,
) -> Result<Connection, Failure> {
    let connection = reader(path, options)?;
    let deadline = Instant::now() + options.busy_timeout;
    let found = while_busy(deadline, || look_at(&connection, path));
    let (connection, found) = match found {
        // Which of the two it is depends on what SQLite tries first in a folder it may not write to.
        Err(failure)
            if matches!(
                failure.kind(),
                StorageErrorKind::CannotOpen | StorageErrorKind::ReadOnly
            ) && path.is_file() =>
        {
            let connection = immutable_reader(path, options, failure)?;
            let found = look_at(&connection, path)?;
            (connection, found)
        }
        found => (connection, found?),
    };
    match found {
        Content::History { .. } => Ok(connection),
        Content::Nothing => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            path,
            "nothing has been recorded into it yet; let the recording program create it first",
        )),
        Content::Upstream | Content::Foreign(_) => Err(Failure::new(
            StorageErrorKind::ReadOnly,
            path,
            "it is in the format of the published aimdb-persistence-sqlite; open it once without `.read_only()` to \
             have it taken over",
        )),
    }
}

/// SQLite reads a logged database only where it may create the log's index, unless nobody changes
/// the file.
fn immutable_reader(
    path: &Path,
    options: &SqliteBackendBuilder,
    failure: Failure,
) -> Result<Connection, Failure> {
    if paths::log_of(path).exists() {
        return Err(failure);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let failed = |error| Failure::of_sqlite(path, "opening it for reading", error);
    let connection =
        Connection::open_with_flags(paths::immutable_uri(path), flags).map_err(failed)?;
    configure_reader(&connection, options).map_err(failed)?;
    Ok(connection)
}

/// Refuses files that are not ours to use; touches nothing.
fn look_at(connection: &Connection, path: &Path) -> Result<Content, Failure> {
    let content = schema::content(connection)
        .map_err(|error| Failure::of_sqlite(path, "reading it", error))?;
    match &content {
        Content::Foreign(sign) => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            path,
            format!("this is another program's SQLite database ({sign}); choose another path"),
        )),
        Content::History {
            oldest_reader,
            oldest_writer,
        } => {
            schema::check_format(path, *oldest_reader, "read")?;
            if !connection.is_readonly(MAIN_DB).unwrap_or(true) {
                schema::check_format(path, *oldest_writer, "write")?;
            }
            Ok(content)
        }
        Content::Nothing | Content::Upstream => Ok(content),
    }
}

/// Turns the write-ahead log on, and checks that it was granted.
fn use_log(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::of_sqlite(path, "turning on its write-ahead log", error);
    // Takes effect in a database without tables alone, and there only before its first page is
    // written.
    connection
        .pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .map_err(failed)?;
    let granted: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))
        .map_err(failed)?;
    if granted.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    Err(Failure::new(
        StorageErrorKind::CannotOpen,
        path,
        format!(
            "its file system does not support a write-ahead log (SQLite offers `{granted}`); put the file on a local disk"
        ),
    ))
}

/// Creates the tables or takes over an older file's rows, unless another process has just done it.
fn make_ready(connection: &mut Connection, path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::of_sqlite(path, "creating its tables", error);
    if matches!(look_at(connection, path)?, Content::History { .. }) {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(failed)?;
    match look_at(&transaction, path)? {
        Content::History { .. } | Content::Foreign(_) => {}
        Content::Nothing => {
            schema::create_tables(&transaction).map_err(failed)?;
            schema::create_view(&transaction).map_err(failed)?;
        }
        Content::Upstream => takeover::take_over(&transaction, path)?,
    }
    transaction.commit().map_err(failed)
}

/// A file whose first tables were another program's cannot give pages back before it has been
/// rewritten once.
///
/// Should this fail, for want of space or because another program has the file open, the next start
/// tries again.
fn settle_free_pages(connection: &Connection, path: &Path) -> Result<(), Failure> {
    const INCREMENTAL: i64 = 2;
    let mode: i64 = connection
        .query_row("PRAGMA auto_vacuum", [], |r| r.get(0))
        .map_err(|error| Failure::of_sqlite(path, "reading it", error))?;
    if mode != INCREMENTAL
        && let Err(error) = connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;")
    {
        report::warn(&format!(
            "{}: could not be rewritten after the takeover ({error}); until that succeeds at a later start, \
             expired rows free no disk space",
            path.display()
        ));
    }
    Ok(())
}

/// Starts over while another process holds the lock: some of SQLite's first steps do not wait for it.
fn while_busy<T>(
    deadline: Instant,
    mut step: impl FnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    loop {
        match step() {
            Err(failure)
                if failure.kind() == StorageErrorKind::Busy && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            result => return result,
        }
    }
}
