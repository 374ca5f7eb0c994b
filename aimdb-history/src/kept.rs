//! Keeping a history well: backups, and the room that it takes.

pub(crate) mod backup;
pub(crate) mod compact;

use std::path::Path;

use aimdb_persistence_sqlite::SqliteBackend;

use crate::error::HistoryError;

pub use self::backup::{Backup, backup};
pub use self::compact::{Compacted, compact};

/// A history that is there, opened to pack its rows or to unpack them. Nothing is packed unless that is asked for.
///
/// # Errors
/// The backend's, if there is no history at this path, or it may not be written.
pub fn open_to_pack(path: &Path) -> Result<SqliteBackend, HistoryError> {
    // Opening to write would begin a new history where there is none.
    drop(SqliteBackend::builder(path).read_only().open()?);
    Ok(SqliteBackend::builder(path).open()?)
}
