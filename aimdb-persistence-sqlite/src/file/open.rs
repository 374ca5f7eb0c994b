//! Opening connections: files of other programs are refused, ours are made ready.

use std::path::Path;
use std::time::{Duration, Instant};

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::error::{During, Failure};
use crate::file::check::Checking;
use crate::file::format::{self, Content};
use crate::file::open_here::OpenHere;
use crate::file::opened::{AsFound, Opened};
use crate::file::paths;
use crate::file::rewriting;
use crate::file::settings::{
    configure, configure_reader, configure_writer, copy_nothing_unasked, run_nothing_of_others,
};
use crate::file::side_by_side;
use crate::file::takeover;
use crate::layout::functions;
use crate::layout::schema;
use crate::location::Location;
use crate::options::SqliteBackendBuilder;
use crate::report;

/// The connection that writes. The file is a history of this crate from now on.
pub(crate) fn writer(path: &Path, options: &SqliteBackendBuilder) -> Result<Opened, Failure> {
    side_by_side::check(path)?;
    let last_written = AsFound::now(path).last_written();
    let made = paths::create_if_missing(path, options.file_mode)?;
    let has_log = paths::log_of(path).exists();
    let doing = "opening it";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = OpenHere::open(path, || Connection::open_with_flags(path, flags))?;
    let mut connection = Opened::of_file(opened).found_written_at(last_written);
    run_nothing_of_others(&connection).during(path, doing)?;
    connection
        .busy_timeout(options.busy_timeout)
        .during(path, doing)?;
    // A file that is refused is not touched, not even when it is closed.
    leave_log_when_closed(&connection, has_log).during(path, doing)?;
    // SQLite opens a file for reading where it may not write. This is asked before anything is read: reading would
    // leave a log beside the file that nobody may write either.
    if connection.is_readonly(MAIN_DB).during(path, doing)? {
        return Err(Failure::new(
            StorageErrorKind::ReadOnly,
            path,
            "it may not be written; change its permissions, or open it with `.read_only()`",
        ));
    }
    let deadline = Instant::now() + options.busy_timeout;
    while_busy(deadline, || identify(&connection, path, UseTo::Write))?;
    if options.check_on_open {
        while_busy(deadline, || check(&connection, path))?;
    }
    copy_nothing_unasked(&connection).during(path, doing)?;
    while_busy(deadline, || use_log(&connection, path))?;
    // Whoever recorded before may have ended because a sync failed: what it left is right, and perhaps not on the disk.
    rewriting::write_all_again(&connection, path, options.busy_timeout)?;
    let is_new = make_ready(&mut connection, path)?;
    let can_give_pages_back = let_give_pages_back(&connection).during(path, "reading it")?;
    if let Err(error) = can_give_pages_back {
        report::warn(&format!(
            "{}: could not be rewritten after the takeover ({error}); until that succeeds at a later start, \
             expired rows free no disk space",
            path.display()
        ));
    }
    // SQLite does so when it creates the log, and does not say whether that failed.
    paths::sync_folder_of(path).during(path, "syncing its folder")?;
    configure_writer(&connection, options).during(path, doing)?;
    leave_log_when_closed(&connection, false).during(path, doing)?;
    Ok(match is_new {
        true => connection.with_new_history(made),
        false => connection,
    })
}

/// Whether the connection leaves the log beside the file when it is closed. Otherwise the last one folds it in.
pub(crate) fn leave_log_when_closed(connection: &Connection, leave: bool) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave)
        .map(drop)
}

/// Looks for damage in the whole file.
fn check(connection: &Connection, path: &Path) -> Result<(), Failure> {
    if !matches!(
        identify(connection, path, UseTo::Write)?,
        Content::History { .. }
    ) {
        return check_structure(connection, path);
    }
    let mut checking = Checking::for_damage();
    while !checking.step(connection).during(path, "checking it")? {}
    refuse_damage(path, checking.report.first.first())
}

/// Of another format, whose rows carry no checksums.
fn check_structure(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))
        .during(path, "checking it")?;
    refuse_damage(path, Some(&found).filter(|found| *found != "ok"))
}

fn refuse_damage(path: &Path, found: Option<&String>) -> Result<(), Failure> {
    match found {
        None => Ok(()),
        Some(damage) => Err(Failure::new(
            StorageErrorKind::Corrupt,
            path,
            format!("checking it found damage: {damage}"),
        )),
    }
}

/// A database without a file. Its one connection reads and writes.
pub(crate) fn in_memory() -> Result<Opened, Failure> {
    let path = Location::InMemory.path();
    let mut connection = Connection::open_in_memory().during(path, "opening it")?;
    functions::add(&connection).during(path, "opening it")?;
    configure(&connection).during(path, "opening it")?;
    make_ready(&mut connection, path)?;
    Ok(Opened::in_memory(connection))
}

/// A connection that only reads, beside a writer of this process.
pub(crate) fn reader(path: &Path, options: &SqliteBackendBuilder) -> Result<Opened, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = OpenHere::open(path, || Connection::open_with_flags(path, flags))?;
    let connection = Opened::of_file(opened);
    let doing = "opening it for reading";
    run_nothing_of_others(&connection).during(path, doing)?;
    configure_reader(&connection, options).during(path, doing)?;
    Ok(connection)
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UseTo {
    Read,
    Write,
}

/// Refuses files that are not ours to use; touches nothing.
pub(crate) fn identify(
    connection: &Connection,
    path: &Path,
    use_to: UseTo,
) -> Result<Content, Failure> {
    let content = format::content(connection).during(path, "reading it")?;
    match &content {
        Content::Foreign(sign) => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            path,
            format!("this is another program's SQLite database ({sign}); choose another path"),
        )),
        Content::Altered(sign) => Err(Failure::new(
            StorageErrorKind::CannotOpen,
            path,
            format!("another program has changed this history: it holds {sign}"),
        )),
        Content::History {
            oldest_reader,
            oldest_writer,
        } => {
            format::check_format(path, *oldest_reader, "read")?;
            if use_to == UseTo::Write {
                format::check_format(path, *oldest_writer, "write")?;
            }
            Ok(content)
        }
        Content::Nothing | Content::Upstream => Ok(content),
    }
}

/// Turns the write-ahead log on, and checks that it was granted.
fn use_log(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let doing = "turning on its write-ahead log";
    // Takes effect only in a database without tables, before its first page is written.
    connection
        .pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .during(path, doing)?;
    let granted: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))
        .during(path, doing)?;
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

/// Creates the tables or takes over an older file's rows, unless another process has just done it. Says whether a new
/// history begins.
fn make_ready(connection: &mut Connection, path: &Path) -> Result<bool, Failure> {
    let doing = "creating its tables";
    if matches!(
        identify(connection, path, UseTo::Write)?,
        Content::History { .. }
    ) {
        return Ok(false);
    }
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .during(path, doing)?;
    let found = identify(&transaction, path, UseTo::Write)?;
    match found {
        Content::History { .. } | Content::Foreign(_) | Content::Altered(_) => {}
        Content::Nothing => format::create_tables(&transaction)
            .and_then(|()| schema::create_view(&transaction))
            .during(path, doing)?,
        Content::Upstream => takeover::take_over(&transaction, path)?,
    }
    transaction.commit().during(path, doing)?;
    Ok(found == Content::Nothing)
}

/// Has removed rows free disk space. A file whose tables another program created must be rewritten for that, once.
///
/// The inner result is that of rewriting. It fails for want of space, or because another program has the file open; the
/// next start then tries again.
fn let_give_pages_back(connection: &Connection) -> rusqlite::Result<rusqlite::Result<()>> {
    const INCREMENTAL: i64 = 2;
    let mode: i64 = connection.query_row("PRAGMA auto_vacuum", [], |r| r.get(0))?;
    if mode == INCREMENTAL {
        return Ok(Ok(()));
    }
    Ok(connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;"))
}

/// Repeats the step while another process holds the lock: some of SQLite's first steps do not wait for it.
pub(crate) fn while_busy<T>(
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

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::file::read_only::lone_reader;
    use crate::layout::sql;

    /// In KiB.
    fn cache_of(connection: &Connection) -> i64 {
        let pragma = |name| connection.pragma_query_value(None, name, |r| r.get::<_, i64>(0));
        assert_eq!(pragma("mmap_size"), Ok(0));
        -pragma("cache_size").unwrap()
    }

    #[test]
    fn the_connections_share_the_cache_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let options = SqliteBackendBuilder::new(path.clone())
            .cache_bytes(12 << 20)
            .readers(3);
        let writer = writer(&path, &options).unwrap();
        assert_eq!(cache_of(&writer), 6 << 10);
        assert_eq!(cache_of(&reader(&path, &options).unwrap()), 2 << 10);

        let options = options.read_only();
        assert_eq!(cache_of(&lone_reader(&path, &options).unwrap()), 4 << 10);
    }

    #[test]
    fn a_cache_of_any_size_is_one_that_works() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [0, usize::MAX] {
            let path = folder.path().join(bytes.to_string());
            let options = SqliteBackendBuilder::new(path.clone()).cache_bytes(bytes);
            let writer = writer(&path, &options).unwrap();
            assert!(
                cache_of(&writer) > 0,
                "neither without bound nor none at all"
            );
            let rows = writer.execute("INSERT INTO meta (name, value) VALUES ('t', 1)", []);
            assert_eq!(rows, Ok(1));
        }
    }

    #[test]
    fn a_cached_statement_is_not_planned_anew_for_each_use() {
        let connection = in_memory().unwrap();
        for time in 0..10 {
            let mut read = connection.prepare_cached(sql::NEWEST_ROWS).unwrap();
            let mut rows = read.query((1, 0, time, i64::MAX)).unwrap();
            assert!(rows.next().unwrap().is_none());
            drop(rows);
            assert_eq!(read.get_status(StatementStatus::RePrepare), 0);
        }
    }
}
