//! Where a chunk lies: between which rows of its series.

use aimdb_persistence_backend::Order;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::error::damage;
use crate::layout::chunk_sql;
use crate::layout::functions::checksum;
use crate::layout::place::Place;

/// A row of `chunk_place`. Rows of the series between the first and the last place lie in the chunk, but for those that
/// came late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkPlace {
    pub(crate) series: i64,
    /// Of the first row that counts.
    pub(crate) first: Place,
    pub(crate) last: Place,
    /// Of the chunk, those that were removed from its front included.
    pub(crate) rows: i64,
    /// So many of its first rows have been removed.
    pub(crate) skip: i64,
    /// The highest of all its rows.
    pub(crate) newest_sequence: i64,
    pub(crate) chunk: i64,
}

impl ChunkPlace {
    /// How many rows count.
    pub(crate) fn counted(&self) -> i64 {
        self.rows - self.skip
    }

    pub(crate) fn holds(&self, place: Place) -> bool {
        self.first <= place && place <= self.last
    }

    fn numbers(&self) -> [i64; 9] {
        [
            self.series,
            self.first.stored_at,
            self.first.sequence,
            self.last.stored_at,
            self.last.sequence,
            self.rows,
            self.skip,
            self.newest_sequence,
            self.chunk,
        ]
    }

    /// From the columns in the table's order; `None` where the checksum does not fit.
    pub(crate) fn of_columns(columns: [i64; 10]) -> Option<Self> {
        let place = |stored_at, sequence| Place {
            stored_at,
            sequence,
        };
        let of = columns;
        let found = Self {
            series: of[0],
            first: place(of[1], of[2]),
            last: place(of[3], of[4]),
            rows: of[5],
            skip: of[6],
            newest_sequence: of[7],
            chunk: of[8],
        };
        (found.checksum() == of[9]).then_some(found)
    }

    fn checksum(&self) -> i64 {
        i64::from(checksum(self.numbers().map(ValueRef::Integer)))
    }

    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = [0; 10];
        for (index, column) in columns.iter_mut().enumerate() {
            *column = row.get(index)?;
        }
        Self::of_columns(columns).ok_or_else(|| {
            damage(format_args!(
                "where packed rows lie is not as it was written (series {}, {} ms)",
                columns[0], columns[1]
            ))
        })
    }

    pub(crate) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let [a, b, c, d, e, f, g, h, i] = self.numbers();
        let mut insert = connection.prepare_cached(chunk_sql::INSERT_PLACE)?;
        let columns = (a, b, c, d, e, f, g, h, i, self.checksum());
        insert.execute(columns).map(drop)
    }

    pub(crate) fn remove(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut remove = connection.prepare_cached(chunk_sql::REMOVE_PLACE)?;
        let key = (self.series, self.first.stored_at, self.first.sequence);
        remove.execute(key).map(drop)
    }
}

fn find(
    connection: &Connection,
    sql: &str,
    key: impl Params,
) -> rusqlite::Result<Option<ChunkPlace>> {
    let mut found = connection.prepare_cached(sql)?;
    found.query_row(key, ChunkPlace::read).optional()
}

fn at_or_before(
    connection: &Connection,
    series: i64,
    place: Place,
) -> rusqlite::Result<Option<ChunkPlace>> {
    let key = (series, place.stored_at, place.sequence);
    find(connection, chunk_sql::AT_OR_BEFORE, key)
}

/// The first chunk behind a place.
pub(crate) fn after(
    connection: &Connection,
    series: i64,
    place: Place,
) -> rusqlite::Result<Option<ChunkPlace>> {
    let key = (series, place.stored_at, place.sequence);
    find(connection, chunk_sql::AFTER, key)
}

/// Of the chunks that reach between two places, both included, the one that comes first.
pub(crate) fn next(
    connection: &Connection,
    series: i64,
    (oldest, newest): (Place, Place),
    order: Order,
) -> rusqlite::Result<Option<ChunkPlace>> {
    if oldest > newest {
        return Ok(None);
    }
    if order == Order::NewestFirst {
        let found = at_or_before(connection, series, newest)?;
        return Ok(found.filter(|found| found.last >= oldest));
    }
    let around = at_or_before(connection, series, oldest)?;
    match around.filter(|around| around.last >= oldest) {
        Some(around) => Ok(Some(around)),
        None => {
            let found = after(connection, series, oldest)?;
            Ok(found.filter(|found| found.first <= newest))
        }
    }
}

/// The chunk between whose first and last row a place lies.
pub(crate) fn around(
    connection: &Connection,
    series: i64,
    place: Place,
) -> rusqlite::Result<Option<ChunkPlace>> {
    let found = at_or_before(connection, series, place)?;
    Ok(found.filter(|found| found.holds(place)))
}
