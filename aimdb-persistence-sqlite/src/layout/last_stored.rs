//! Which row of a series was stored last.
//!
//! The clustered table is in order of time. So its rows with the highest sequence are noted when they get there: by a
//! merge, or by a commit that goes there at once. Appending to the tail, as most commits do, notes nothing.

use rusqlite::{Connection, OptionalExtension};

use crate::error::damage;
use crate::layout::place::{Place, RowKey};
use crate::layout::seal;
use crate::layout::sql;
use crate::layout::tail::Tail;

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

/// A row as it was found: its time, its text and its version.
pub(crate) struct LastStored {
    pub(crate) stored_at: i64,
    pub(crate) json: String,
    pub(crate) version: u32,
}

/// Within a read transaction that `tail` has followed.
pub(crate) fn read(
    connection: &Connection,
    tail: &Tail,
    series: i64,
) -> rusqlite::Result<Option<LastStored>> {
    let in_tail = tail.last_stored(series);
    let newer_than = in_tail.map_or(i64::MIN, |place| place.sequence);
    let in_table = in_table(connection, series, newer_than)?;
    let value = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    let (place, found) = match (in_table, in_tail) {
        (Some(place), _) => {
            let key = (series, place.stored_at, place.sequence);
            let mut fetch = connection.prepare_cached(sql::ROW_VALUE)?;
            (place, fetch.query_row(key, value).optional()?)
        }
        (None, Some(place)) => {
            let mut fetch = connection.prepare_cached(sql::TAIL_VALUE)?;
            (place, fetch.query_row([place.sequence], value).optional()?)
        }
        (None, None) => return Ok(None),
    };
    let Some((json, seal)) = found else {
        return Ok(None);
    };
    let Some(version) = seal::opened(RowKey { series, place }, seal, json.as_bytes()) else {
        let at = place.stored_at;
        return Err(damage(format_args!(
            "the row that was stored last, of {at} ms, is not as it was written"
        )));
    };
    Ok(Some(LastStored {
        stored_at: place.stored_at,
        json,
        version,
    }))
}

/// Of the clustered rows the one with the highest sequence, if that is above `newer_than`.
fn in_table(
    connection: &Connection,
    series: i64,
    newer_than: i64,
) -> rusqlite::Result<Option<Place>> {
    let noted = connection
        .prepare_cached(sql::LAST_STORED)?
        .query_row([series], |row| Ok((Place::of(row)?, row.get(2)?)))
        .optional()?;
    match noted {
        None => Ok(None),
        Some((place, _)) if place.sequence < newer_than => Ok(None),
        Some((place, true)) => Ok(Some(place)),
        // It has been removed since, as few are that were stored last.
        Some((_, false)) => {
            let mut all = connection.prepare_cached(sql::LAST_STORED_OF_ALL)?;
            let last = all.query_row([series], Place::of).optional()?;
            Ok(last.filter(|place| place.sequence > newer_than))
        }
    }
}
