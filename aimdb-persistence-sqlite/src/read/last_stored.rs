//! Reading the row of a series that was stored last.

use aimdb_persistence_backend::{ReadRequest, Rows};
use rusqlite::{Connection, OptionalExtension};

use crate::chunks::place::{self, ChunkPlace};
use crate::chunks::rows::LastChunk;
use crate::error::damage;
use crate::layout::chunk_sql;
use crate::layout::place::{Place, RowKey};
use crate::layout::seal;
use crate::layout::sql;
use crate::layout::state::Moment;
use crate::layout::tail::Tail;
use crate::read::walk::RowIndex;

/// The row, or none, of the one series that the request names.
pub(crate) fn read(
    connection: &Connection,
    index: &mut RowIndex,
    request: &ReadRequest,
) -> rusqlite::Result<Rows> {
    let mut statement = Moment::statement(connection)?;
    let (_moment, state) = Moment::begin(&mut statement)?;
    index.follow_tail(connection, &state)?;
    let mut rows = Rows::new();
    let series: Vec<_> = index
        .catalog
        .select(connection, &state, request, "")?
        .filter_map(|(record_name, id)| Some((record_name.to_owned(), id?)))
        .collect();
    for (record_name, id) in series {
        let chunks = state.has_chunks.then_some(&mut index.last_chunk);
        if let Some(last) = of_series(connection, &index.tail, chunks, id)? {
            rows.push_versioned(
                &record_name,
                last.stored_at.cast_unsigned(),
                &last.json,
                last.version,
            );
        }
    }
    Ok(rows)
}

/// A row as it was found: its time, its text and its version.
struct LastStored {
    stored_at: i64,
    json: String,
    version: u32,
}

/// Where it lies.
enum Lies {
    Table(Place),
    Chunk(ChunkPlace, Place),
}

/// Within a read transaction that `tail` has followed. `chunks` is `None` where nothing is packed.
fn of_series(
    connection: &Connection,
    tail: &Tail,
    mut chunks: Option<&mut LastChunk>,
    series: i64,
) -> rusqlite::Result<Option<LastStored>> {
    let in_tail = tail.last_stored(series);
    let newer_than = in_tail.map_or(i64::MIN, |place| place.sequence);
    let merged = merged(connection, series, newer_than, chunks.as_deref_mut())?;
    let value = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    let (place, found) = match (merged, in_tail) {
        (Some(Lies::Chunk(chunk, place)), _) => {
            return chunks
                .map(|chunks| packed(connection, chunks, &chunk, place))
                .transpose();
        }
        (Some(Lies::Table(place)), _) => {
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

fn packed(
    connection: &Connection,
    chunks: &mut LastChunk,
    chunk: &ChunkPlace,
    place: Place,
) -> rusqlite::Result<LastStored> {
    let rows = chunks.open(connection, chunk)?.map_err(damage)?;
    let row = rows.between(chunk, place, place).start;
    let texts = rows.texts(row..row + 1).map_err(damage)?;
    Ok(LastStored {
        stored_at: place.stored_at,
        json: texts.get(row).unwrap_or_default().to_owned(),
        version: rows.version(row),
    })
}

/// Of the clustered and packed rows the one with the highest sequence, if that is above `newer_than`.
fn merged(
    connection: &Connection,
    series: i64,
    newer_than: i64,
    chunks: Option<&mut LastChunk>,
) -> rusqlite::Result<Option<Lies>> {
    let noted = connection
        .prepare_cached(sql::LAST_STORED)?
        .query_row([series], |row| Ok((Place::of(row)?, row.get(2)?)))
        .optional()?;
    let noted: (Place, bool) = match noted {
        None => return Ok(None),
        Some((place, _)) if place.sequence < newer_than => return Ok(None),
        Some(noted) => noted,
    };
    if noted.1 {
        return Ok(Some(Lies::Table(noted.0)));
    }
    let Some(chunks) = chunks else {
        // It has been removed since, as few are that were stored last.
        let last = last_of_table(connection, series)?;
        let last = last.filter(|place| place.sequence > newer_than);
        return Ok(last.map(Lies::Table));
    };
    // It has been packed since, as most are of a series that has ended.
    if let Some(chunk) = place::around(connection, series, noted.0)? {
        let rows = chunks.open(connection, &chunk)?.map_err(damage)?;
        if !rows.between(&chunk, noted.0, noted.0).is_empty() {
            return Ok(Some(Lies::Chunk(chunk, noted.0)));
        }
    }
    let mut last = last_of_table(connection, series)?
        .filter(|place| place.sequence > newer_than)
        .map(Lies::Table);
    let mut by_sequence = connection.prepare_cached(chunk_sql::BY_SEQUENCE)?;
    let mut by_sequence = by_sequence.query([series])?;
    while let Some(row) = by_sequence.next()? {
        let chunk = ChunkPlace::read(row)?;
        let best = match &last {
            Some(Lies::Table(place) | Lies::Chunk(_, place)) => place.sequence,
            None => newer_than,
        };
        if chunk.newest_sequence <= best {
            break;
        }
        let rows = chunks.open(connection, &chunk)?.map_err(damage)?;
        let counted = rows.places[rows.counted(&chunk)].iter();
        let newest = counted.max_by_key(|place| place.sequence);
        if let Some(place) = newest.filter(|place| place.sequence > best) {
            last = Some(Lies::Chunk(chunk, *place));
        }
    }
    Ok(last)
}

/// Looks at each clustered row of the series.
fn last_of_table(connection: &Connection, series: i64) -> rusqlite::Result<Option<Place>> {
    let mut all = connection.prepare_cached(sql::LAST_STORED_OF_ALL)?;
    all.query_row([series], Place::of).optional()
}
