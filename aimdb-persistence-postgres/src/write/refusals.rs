//! Rows that can never be stored. Each row is looked through by itself, before a transaction begins.

use aimdb_persistence_backend::{PersistenceError, Rows};

/// A message to the server holds a gigabyte at most. A long text fills one by itself, with the columns beside it.
const LONGEST_TEXT_BYTES: usize = 512 << 20;

/// The rows that are refused, by index, each with its reason.
pub(crate) fn refusals(rows: &Rows) -> Vec<(usize, PersistenceError)> {
    aimdb_persistence_backend::refusals(rows, "PostgreSQL", LONGEST_TEXT_BYTES)
}
