//! Unused room back to the file system.

use std::path::Path;
use std::time::Duration;

use aimdb_persistence_sqlite::SqliteBackend;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use crate::error::HistoryError;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Its size before.
    pub bytes_before: u64,
    /// Its size now.
    pub bytes_after: u64,
}

/// A megabyte: a program that records meanwhile waits no longer than for that.
const STEP_PAGES: u32 = 256;
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives the pages of a SQLite file that nothing lies in back to the file system, in small steps, while a program may go on
/// recording. Rows are not moved.
///
/// # Errors
/// The backend's, if there is no history at this path; [`HistoryError::Sql`] if SQLite fails, as on a file that may not be written.
pub async fn compact(
    path: &Path,
    mut on_progress: impl FnMut(u64, u64),
) -> Result<Compacted, HistoryError> {
    // What is no history is not touched.
    let backend = SqliteBackend::builder(path).read_only().open()?;
    backend.close().await?;
    let failed = |error: rusqlite::Error| HistoryError::Sql(format!("{}: {error}", path.display()));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let path = std::path::absolute(path).map_err(HistoryError::of_file(path, "opening it"))?;
    let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    let number = |pragma: &str| {
        let row = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
        row.map(|number| u64::try_from(number).unwrap_or(0))
            .map_err(failed)
    };
    let page = number("page_size")?;
    let bytes_before = number("page_count")? * page;
    let unused = number("freelist_count")?;
    loop {
        let left = number("freelist_count")?;
        on_progress(unused.saturating_sub(left) * page, unused * page);
        if left == 0 {
            break;
        }
        let step = format!("PRAGMA incremental_vacuum({STEP_PAGES})");
        connection.execute_batch(&step).map_err(failed)?;
        if number("freelist_count")? >= left {
            break;
        }
        futures_lite::future::yield_now().await;
    }
    // What the log holds of it goes into the file, as far as readers let it.
    let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
    connection
        .query_row(checkpoint, [], |_| Ok(()))
        .map_err(failed)?;
    let bytes_after = number("page_count")? * page;
    Ok(Compacted {
        bytes_before,
        bytes_after,
    })
}
