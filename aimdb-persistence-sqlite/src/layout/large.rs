//! Long values lie in a table of their own, by the sequence of their row.
//!
//! Among the clustered rows a long value would be moved, and written again, with every row that comes between. The
//! row itself then holds NULL.

use rusqlite::Connection;

use crate::layout::sql;

/// Longer values lie apart.
pub(crate) const LARGE_BYTES: usize = 400;

/// What the row itself holds of its value: nothing of a long one.
pub(crate) fn within_row(json: &str) -> Option<&str> {
    Some(json).filter(|json| json.len() <= LARGE_BYTES)
}

/// A value is answered for when it is there.
pub(crate) fn expect_one(changed: usize) -> rusqlite::Result<()> {
    match changed {
        1 => Ok(()),
        other => Err(rusqlite::Error::StatementChangedRows(other)),
    }
}

/// Stores the value apart if it is a long one.
pub(crate) fn insert(connection: &Connection, sequence: i64, json: &str) -> rusqlite::Result<()> {
    if within_row(json).is_some() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(sql::INSERT_LARGE)?;
    expect_one(insert.execute((sequence, json))?)
}

/// The row gets another value.
pub(crate) fn replace(connection: &Connection, sequence: i64, json: &str) -> rusqlite::Result<()> {
    let mut remove = connection.prepare_cached(sql::REMOVE_LARGE)?;
    remove.execute([sequence])?;
    insert(connection, sequence, json)
}
