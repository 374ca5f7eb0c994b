//! A file that rows are written into.

use aimdb_persistence_backend::Row;

use crate::error::HistoryError;

/// A file of rows that is under way.
pub(crate) trait RowFile {
    /// Appends a row. Says whether all of its fields have columns that they fit into.
    fn row(&mut self, row: Row<'_>) -> Result<bool, HistoryError>;

    /// Gives the file its name.
    fn complete(self: Box<Self>) -> Result<(), HistoryError>;
}
