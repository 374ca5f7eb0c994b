//! A SQLite file as what it is, to be read by SQL.

use std::fs;
use std::path::Path;
use std::time::Duration;

use aimdb_persistence_sqlite::{SqliteBackend, history_rows};
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::error::HistoryError;

const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a history to be read, and for nothing else. Neither the file nor its log is changed, and nothing is left beside them.
///
/// # Errors
/// The backend's, if there is no history at this path.
pub(crate) async fn open_to_read(path: &Path) -> Result<Connection, HistoryError> {
    // What is no history is told so by who knows best.
    let backend = SqliteBackend::builder(path).read_only().open()?;
    let path = backend.path().to_owned();
    backend.close().await?;
    open(&path).map_err(|error| HistoryError::Sql(format!("{}: {error}", path.display())))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    // SQLite makes the log's index beside a file that it reads, and whoever may write the file removes it at the end.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = fs::metadata(log).is_ok_and(|log| log.len() > 0);
    let connection = Connection::open_with_flags(path, flags)?;
    if has_log {
        // A log that somebody has left stays as it is.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    // Nothing that somebody else has put into the file is run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    // Packed rows, which SQL sees by this alone.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("history_rows", 2, flags, |values| {
        let skip = u64::try_from(values.get::<i64>(1)?).unwrap_or(0);
        let rows = history_rows(values.get_raw(0).as_blob()?, skip);
        rows.map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
    })?;
    Ok(connection)
}
