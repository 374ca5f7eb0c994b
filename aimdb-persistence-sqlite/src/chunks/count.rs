//! Finding a row by how many others lie before it, among clustered and packed rows.

use std::ops::ControlFlow;

use aimdb_persistence_backend::Order;
use rusqlite::{Connection, OptionalExtension};

use crate::chunks::place::{self, ChunkPlace};
use crate::chunks::rows::PackedRows;
use crate::layout::chunk_sql;
use crate::layout::place::Place;

/// A part of a series between two places, both included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) series: i64,
    pub(crate) oldest: Place,
    pub(crate) newest: Place,
}

impl Stretch {
    /// All that is not newer than a place.
    pub(crate) fn up_to(series: i64, newest: Place) -> Self {
        Self {
            series,
            oldest: Place::OLDEST,
            newest,
        }
    }

    /// What a statement is bound to.
    pub(crate) fn bounds(&self) -> (i64, i64, i64, i64, i64) {
        let Self {
            series,
            oldest,
            newest,
        } = *self;
        (
            series,
            oldest.stored_at,
            oldest.sequence,
            newest.stored_at,
            newest.sequence,
        )
    }

    fn with(&self, number: usize) -> (i64, i64, i64, i64, i64, i64) {
        let (a, b, c, d, e) = self.bounds();
        (a, b, c, d, e, number as i64)
    }

    /// The chunk that comes first in it.
    pub(crate) fn chunk(
        &self,
        connection: &Connection,
        order: Order,
    ) -> rusqlite::Result<Option<ChunkPlace>> {
        place::next(connection, self.series, (self.oldest, self.newest), order)
    }

    /// Of its clustered rows the one so many behind the first.
    pub(crate) fn nth_clustered(
        &self,
        connection: &Connection,
        order: Order,
        n: usize,
    ) -> rusqlite::Result<Option<Place>> {
        let mut nth = connection.prepare_cached(match order {
            Order::NewestFirst => chunk_sql::NTH_NEWEST_BETWEEN,
            Order::OldestFirst => chunk_sql::NTH_OLDEST_BETWEEN,
        })?;
        nth.query_row(self.with(n), Place::of).optional()
    }

    /// How many clustered rows it has, counted up to `most`.
    pub(crate) fn count_clustered(
        &self,
        connection: &Connection,
        most: usize,
    ) -> rusqlite::Result<usize> {
        let mut count = connection.prepare_cached(chunk_sql::COUNT_BETWEEN)?;
        let counted: i64 = count.query_row(self.with(most), |r| r.get(0))?;
        Ok(usize::try_from(counted).unwrap_or(0))
    }

    /// What lies before the chunk in order, what lies beside it, and what comes behind.
    fn parts(&self, chunk: &ChunkPlace, order: Order) -> (Self, Self, Self) {
        let older = Self {
            newest: self.newest.min(chunk.first.before()),
            ..*self
        };
        let beside = Self {
            oldest: self.oldest.max(chunk.first),
            newest: self.newest.min(chunk.last),
            ..*self
        };
        let newer = Self {
            oldest: self.oldest.max(chunk.last.after()),
            ..*self
        };
        match order {
            Order::NewestFirst => (newer, beside, older),
            Order::OldestFirst => (older, beside, newer),
        }
    }

    /// Of all its rows the one so many behind the first; otherwise how many there are.
    pub(crate) fn nth(
        mut self,
        connection: &Connection,
        order: Order,
        mut n: usize,
    ) -> rusqlite::Result<ControlFlow<Place, usize>> {
        let mut passed = 0;
        loop {
            let Some(chunk) = self.chunk(connection, order)? else {
                return match self.nth_clustered(connection, order, n)? {
                    Some(place) => Ok(ControlFlow::Break(place)),
                    None => {
                        let left = self.count_clustered(connection, n + 1)?;
                        Ok(ControlFlow::Continue(passed + left))
                    }
                };
            };
            let (before, beside, behind) = self.parts(&chunk, order);
            let count = before.count_clustered(connection, n + 1)?;
            if count > n {
                let place = before.nth_clustered(connection, order, n)?;
                return Ok(place.map_or(ControlFlow::Continue(passed), ControlFlow::Break));
            }
            n -= count;
            passed += count;
            match beside.nth_beside(connection, &chunk, order, n)? {
                ControlFlow::Break(place) => return Ok(ControlFlow::Break(place)),
                ControlFlow::Continue(count) => {
                    n -= count;
                    passed += count;
                }
            }
            self = behind;
        }
    }

    /// The same of rows of one chunk and of those that came late.
    fn nth_beside(
        &self,
        connection: &Connection,
        chunk: &ChunkPlace,
        order: Order,
        n: usize,
    ) -> rusqlite::Result<ControlFlow<Place, usize>> {
        let late = self.count_clustered(connection, n + 1)?;
        let is_whole = self.oldest <= chunk.first && self.newest >= chunk.last;
        let counted = usize::try_from(chunk.counted()).unwrap_or(0);
        if is_whole && late + counted <= n {
            return Ok(ControlFlow::Continue(late + counted));
        }
        let Ok(rows) = PackedRows::open(connection, chunk)? else {
            // Nobody knows which row it is. It is taken for the last one, so that none is removed that may be kept.
            return Ok(ControlFlow::Break(match order {
                Order::NewestFirst => chunk.first.before(),
                Order::OldestFirst => self.newest,
            }));
        };
        let packed = rows.between(chunk, self.oldest, self.newest);
        let mut places = rows.places[packed].to_vec();
        let mut beside = connection.prepare_cached(chunk_sql::PLACES_BETWEEN)?;
        let beside = beside.query_map(self.bounds(), Place::of)?;
        places.extend(beside.collect::<rusqlite::Result<Vec<_>>>()?);
        places.sort_unstable();
        if order == Order::NewestFirst {
            places.reverse();
        }
        Ok(match places.get(n) {
            Some(place) => ControlFlow::Break(*place),
            None => ControlFlow::Continue(places.len()),
        })
    }

    /// Whether there is a row.
    pub(crate) fn has_rows(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let nth = self.nth(connection, Order::OldestFirst, 0)?;
        Ok(nth.is_break())
    }
}
