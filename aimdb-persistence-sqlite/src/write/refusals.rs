//! Rows that can never be stored. Each row is looked through by itself, before a transaction begins.

use aimdb_persistence_backend::{PersistenceError, Rows};

/// SQLite's limit for a row, less some room for the row's other columns.
const LONGEST_TEXT_BYTES: usize = 1_000_000_000 - 1_024;

/// The rows that are refused, by index, each with its reason.
pub(crate) fn refusals(rows: &Rows) -> Vec<(usize, PersistenceError)> {
    aimdb_persistence_backend::refusals(rows, "SQLite", LONGEST_TEXT_BYTES)
}
