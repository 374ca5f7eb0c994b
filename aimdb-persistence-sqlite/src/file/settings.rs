//! The settings of each connection: durability, the log's size, memory for pages of the file.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::layout::functions;
use crate::options::{Durability, SqliteBackendBuilder};

/// How long one attempt to get the write lock lasts before the next one. SQLite polls ever more slowly within an attempt.
/// Short attempts give a waiting process its turn beside one that writes without pause.
const LOCK_ATTEMPT: Duration = Duration::from_millis(10);

/// The log is cut back to this size whenever SQLite starts it over.
pub(crate) const LOG_LIMIT_BYTES: u64 = 16 << 20;

pub(crate) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Without this SQLite plans by bound values, and so it plans a cached statement again for each use. That costs five
    // times as much as the query itself.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "trusted_schema", false)
}

pub(crate) fn configure_writer(
    connection: &Connection,
    options: &SqliteBackendBuilder,
) -> rusqlite::Result<()> {
    let durability = options.durability;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Grouped { .. } | Durability::Relaxed => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // On macOS a plain fsync leaves the data in the drive's cache; elsewhere these two have no
    // effect.
    connection.pragma_update(None, "fullfsync", durability != Durability::Relaxed)?;
    connection.pragma_update(
        None,
        "checkpoint_fullfsync",
        durability != Durability::Relaxed,
    )?;
    copy_nothing_unasked(connection)?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT_BYTES.cast_signed())?;
    keep_in_memory(connection, options.writer_cache_bytes())?;
    configure(connection)?;
    connection.busy_timeout(LOCK_ATTEMPT)
}

/// The file may hold triggers and views of other programs: none of them runs here. What runs here is added.
pub(crate) fn run_nothing_of_others(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    functions::add(connection)?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// SQLite would copy the log into the file with some commits, and say nothing of a failure.
pub(crate) fn copy_nothing_unasked(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))
}

pub(crate) fn configure_reader(
    connection: &Connection,
    options: &SqliteBackendBuilder,
) -> rusqlite::Result<()> {
    connection.busy_timeout(options.busy_timeout)?;
    keep_in_memory(connection, options.reader_cache_bytes())?;
    connection.pragma_update(None, "query_only", true)?;
    configure(connection)
}

/// Bounds what the connection keeps of the file in memory, whatever the system's SQLite was built to do.
fn keep_in_memory(connection: &Connection, bytes: usize) -> rusqlite::Result<()> {
    // A negative size is one in KiB, a positive one in pages.
    let kib = i32::try_from(bytes / 1_024).unwrap_or(i32::MAX).max(1);
    connection.pragma_update(None, "cache_size", -kib)?;
    // A mapped file would not count as memory of the program's, but a failing disk would kill it.
    connection.pragma_update(None, "mmap_size", 0)
}
