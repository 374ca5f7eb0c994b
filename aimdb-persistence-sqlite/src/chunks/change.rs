//! Writing chunks, and taking rows out of them. Within the caller's transaction.

use std::ops::Range;

use aimdb_persistence_backend::Order;
use aimdb_persistence_packed::{Packed, RowIn, pack};
use rusqlite::Connection;

use crate::chunks::count::Stretch;
use crate::chunks::place::ChunkPlace;
use crate::chunks::rows::{PackedRows, seal};
use crate::error::damage;
use crate::layout::chunk_sql;
use crate::layout::large::{self, expect_one};
use crate::layout::last_stored;
use crate::layout::place::{Place, RowKey};
use crate::layout::seal as row_seal;
use crate::layout::sql;

/// The format of a file with packed rows.
pub(crate) const FORMAT: i64 = 8;

/// A row as it is packed.
pub(crate) fn row_in(place: Place, version: u32, text: &str) -> RowIn<'_> {
    RowIn {
        stored_at: place.stored_at.cast_unsigned(),
        sequence: place.sequence.cast_unsigned(),
        version,
        text,
    }
}

/// Writes a chunk of these rows once it is certain that every one of them comes out of it as it was.
pub(crate) fn insert(
    connection: &Connection,
    series: i64,
    packed: &Packed,
    rows: &[RowIn<'_>],
) -> rusqlite::Result<()> {
    let Some(places) = places_if_same(&packed.body, rows) else {
        return Err(damage("rows do not come out of their chunk as they were"));
    };
    let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
        return Ok(());
    };
    let mut next = connection.prepare_cached(chunk_sql::NEXT_CHUNK)?;
    let chunk: i64 = next.query_row([], |r| r.get(0))?;
    let mut insert = connection.prepare_cached(chunk_sql::INSERT_CHUNK)?;
    let seal = seal(chunk, series, &packed.body);
    insert.execute((chunk, series, seal, &packed.statistics, &packed.body))?;
    let place = ChunkPlace {
        series,
        first,
        last,
        rows: places.len() as i64,
        skip: 0,
        newest_sequence: places.iter().map(|place| place.sequence).max().unwrap_or(0),
        chunk,
    };
    place.insert(connection)?;
    let mut raise = connection.prepare_cached(chunk_sql::RAISE_MARKS)?;
    raise.execute([FORMAT]).map(drop)
}

fn places_if_same(body: &[u8], rows: &[RowIn<'_>]) -> Option<Vec<Place>> {
    let out = PackedRows::of_body(body.to_vec()).ok()?;
    let texts = out.texts(0..rows.len()).ok()?;
    let is_same = |(index, row): (usize, &RowIn<'_>)| {
        let text = texts.get(index);
        let place = out.places.get(index);
        place
            .zip(text)
            .map(|(p, t)| row_in(*p, out.version(index), t))
            == Some(*row)
    };
    let all = rows.iter().enumerate().all(is_same) && out.places.len() == rows.len();
    all.then_some(out.places)
}

/// Removes a chunk with all its rows.
pub(crate) fn drop_chunk(connection: &Connection, place: &ChunkPlace) -> rusqlite::Result<()> {
    place.remove(connection)?;
    let mut remove = connection.prepare_cached(chunk_sql::REMOVE_CHUNK)?;
    remove.execute([place.chunk]).map(drop)
}

/// How thoroughly rows are removed from a chunk that keeps others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removing {
    /// They count no more, and go with the chunk.
    Expired,
    /// They are nowhere in the file afterwards.
    Erased,
}

/// Removes every row between two places, packed or not; says how many there were.
pub(crate) fn remove_between(
    connection: &Connection,
    stretch: Stretch,
    removing: Removing,
) -> rusqlite::Result<usize> {
    let (mut removed, mut rest) = (0, stretch);
    while let Some(chunk) = rest.chunk(connection, Order::OldestFirst)? {
        removed += remove_from_chunk(connection, &chunk, &stretch, removing)?;
        rest.oldest = chunk.last.after();
    }
    Ok(removed + remove_clustered(connection, stretch)?)
}

/// Removes the clustered rows; says how many there were.
pub(crate) fn remove_clustered(
    connection: &Connection,
    stretch: Stretch,
) -> rusqlite::Result<usize> {
    let bounds = stretch.bounds();
    let mut remove_large = connection.prepare_cached(chunk_sql::REMOVE_LARGE_BETWEEN)?;
    remove_large.execute(bounds)?;
    let mut remove = connection.prepare_cached(chunk_sql::REMOVE_BETWEEN)?;
    let removed = remove.execute(bounds)?;
    last_stored::note_removed(connection, stretch.series, removed)
}

fn remove_from_chunk(
    connection: &Connection,
    chunk: &ChunkPlace,
    stretch: &Stretch,
    removing: Removing,
) -> rusqlite::Result<usize> {
    let counted = usize::try_from(chunk.counted()).unwrap_or(0);
    if stretch.oldest <= chunk.first && stretch.newest >= chunk.last {
        drop_chunk(connection, chunk)?;
        return Ok(counted);
    }
    let rows = PackedRows::open_sound(connection, chunk)?;
    let gone = rows.between(chunk, stretch.oldest, stretch.newest);
    if gone.is_empty() {
        return Ok(0);
    }
    chunk.remove(connection)?;
    let all = rows.counted(chunk);
    if removing == Removing::Expired && gone.start == all.start {
        let rest = ChunkPlace {
            first: rows.places[gone.end],
            skip: gone.end as i64,
            ..*chunk
        };
        rest.insert(connection)?;
        return Ok(gone.len());
    }
    let mut remove = connection.prepare_cached(chunk_sql::REMOVE_CHUNK)?;
    remove.execute([chunk.chunk])?;
    for part in [all.start..gone.start, gone.end..all.end] {
        pack_again(connection, chunk.series, &rows, part)?;
    }
    Ok(gone.len())
}

/// Those of a chunk that are left become one of their own.
fn pack_again(
    connection: &Connection,
    series: i64,
    rows: &PackedRows,
    part: Range<usize>,
) -> rusqlite::Result<()> {
    if part.is_empty() {
        return Ok(());
    }
    let texts = rows.texts(part.clone()).map_err(damage)?;
    let row = |row| {
        let text = texts.get(row).unwrap_or_default();
        row_in(rows.places[row], rows.version(row), text)
    };
    let rows: Vec<_> = part.map(row).collect();
    let packed = pack(rows.iter().copied()).map_err(damage)?;
    insert(connection, series, &packed, &rows)
}

/// Puts the rows of a chunk back among the clustered ones; says how many there were.
pub(crate) fn unpack(connection: &Connection, chunk: &ChunkPlace) -> rusqlite::Result<usize> {
    let rows = PackedRows::open_sound(connection, chunk)?;
    let counted = rows.counted(chunk);
    let texts = rows.texts(counted.clone()).map_err(damage)?;
    let mut insert = connection.prepare_cached(sql::INSERT_ROW)?;
    let key = |row: usize| RowKey {
        series: chunk.series,
        place: rows.places[row],
    };
    for row in counted.clone() {
        let (key, text) = (key(row), texts.get(row).unwrap_or_default());
        let place = key.place;
        large::insert(connection, place.sequence, text)?;
        let seal = row_seal::seal(key, rows.version(row), text.as_bytes());
        let value = large::within_row(text);
        let columns = (key.series, place.stored_at, place.sequence, seal, value);
        expect_one(insert.execute(columns)?)?;
    }
    last_stored::note(connection, counted.clone().map(key))?;
    drop_chunk(connection, chunk)?;
    Ok(counted.len())
}
