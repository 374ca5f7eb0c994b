//! What each connection is told: durability, the log's size, how much of the file it keeps in memory.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::options::{Durability, SqliteBackendBuilder};

/// How long one attempt to get the write lock polls before it starts over. SQLite polls ever more
/// slowly within an attempt; starting over keeps a waiting process from being outrun by one that
/// writes without pause.
const LOCK_ATTEMPT: Duration = Duration::from_millis(10);

/// The log is cut back to this size whenever SQLite starts it over.
pub(crate) const LOG_LIMIT_BYTES: u64 = 16 << 20;

pub(crate) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Without this SQLite looks at bound values when it plans, and plans a cached statement anew
    // for each use: five times the cost of the query itself.
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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use crate::file::open::{lone_reader, reader, writer};
    use crate::options::SqliteBackendBuilder;

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
            let rows = writer.execute("INSERT INTO series (key) VALUES ('t')", []);
            assert_eq!(rows, Ok(1));
        }
    }
}
