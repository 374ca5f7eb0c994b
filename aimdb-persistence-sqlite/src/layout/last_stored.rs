//! Which row of a series was stored last.
//!
//! The clustered table is in order of time. So its rows with the highest sequence are noted when they get there: by a
//! merge, or by a commit that goes there at once. Appending to the tail, as most commits do, notes nothing.

use rusqlite::Connection;

use crate::layout::place::RowKey;
use crate::layout::sql;

/// Notes rows that come into the clustered table, in its order. Within the transaction that brings them.
pub(crate) fn note(
    connection: &Connection,
    keys: impl Iterator<Item = RowKey>,
) -> rusqlite::Result<()> {
    let mut note = connection.prepare_cached(sql::NOTE_LAST_STORED)?;
    let mut last: Option<(RowKey, i64)> = None;
    for key in keys {
        match &mut last {
            Some((last, rows)) if last.series == key.series => {
                *rows += 1;
                if key.place.sequence > last.place.sequence {
                    *last = key;
                }
            }
            _ => {
                if let Some(last) = last.replace((key, 1)) {
                    note.execute(columns(last))?;
                }
            }
        }
    }
    match last {
        Some(last) => note.execute(columns(last)).map(drop),
        None => Ok(()),
    }
}

fn columns((key, rows): (RowKey, i64)) -> (i64, i64, i64, i64) {
    (key.series, key.place.stored_at, key.place.sequence, rows)
}

/// Counts rows of a series that were removed from the clustered table. Within the transaction that removes them; gives
/// their number.
pub(crate) fn note_removed(
    connection: &Connection,
    series: i64,
    removed: usize,
) -> rusqlite::Result<usize> {
    if removed > 0 {
        let mut note = connection.prepare_cached(sql::NOTE_REMOVED)?;
        note.execute((series, removed as i64))?;
    }
    Ok(removed)
}
