//! Series that keep one row for each time: what becomes of a row with the time of another one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use aimdb_persistence_backend::{OnDuplicate, Order, Row, Rows};
use rusqlite::{Connection, OptionalExtension};

use crate::chunks::change::unpack;
use crate::chunks::place::{self, ChunkPlace};
use crate::error::damage;
use crate::layout::large;
use crate::layout::place::{Place, RowKey};
use crate::layout::seal::seal;
use crate::layout::sql;
use crate::write::connection::WriteConnection;
use crate::write::placed::Placed;

/// Rows of one batch that were not added, by their index in it.
#[derive(Clone, Default)]
pub(crate) struct Resolved {
    pub(crate) left_out: Vec<usize>,
    /// They have taken the place of others.
    pub(crate) replaced: Vec<usize>,
}

/// Where the row lies that already has a time.
enum Holder {
    Table(RowKey),
    Tail(RowKey),
    /// Among packed rows, which are unpacked before one is replaced.
    Chunk(RowKey, ChunkPlace),
}

impl WriteConnection {
    /// Takes the rows out of `places` that are not to be added: each has replaced another one, or is left out, which is
    /// noted by batch. `places` are in order of arrival. Within the transaction that adds the others.
    pub(crate) fn resolve_duplicates(
        &mut self,
        places: &mut Vec<Placed>,
        batches: &[Arc<Rows>],
        resolved: &mut [Resolved],
    ) -> rusqlite::Result<()> {
        if places.iter().all(|p| p.on_duplicate == OnDuplicate::Keep) {
            return Ok(());
        }
        self.merge.tail.refresh(&self.connection)?;
        let mut added = HashMap::new();
        let mut kept: Vec<Placed> = Vec::with_capacity(places.len());
        for placed in places.drain(..) {
            let RowKey { series, place } = placed.key;
            if placed.on_duplicate == OnDuplicate::Keep {
                kept.push(placed);
                continue;
            }
            let entry = match added.entry((series, place.stored_at)) {
                Entry::Occupied(earlier) => {
                    let earlier: &mut Placed = &mut kept[*earlier.get()];
                    match placed.on_duplicate {
                        OnDuplicate::Ignore => resolved[placed.batch].left_out.push(placed.index),
                        _ => {
                            resolved[placed.batch].replaced.push(placed.index);
                            (earlier.batch, earlier.index) = (placed.batch, placed.index);
                        }
                    }
                    continue;
                }
                Entry::Vacant(entry) => entry,
            };
            match self.holder(placed.key)? {
                None => {
                    entry.insert(kept.len());
                    kept.push(placed);
                }
                Some(_) if placed.on_duplicate == OnDuplicate::Ignore => {
                    resolved[placed.batch].left_out.push(placed.index);
                }
                Some(holder) => {
                    resolved[placed.batch].replaced.push(placed.index);
                    holder.replace(&self.connection, placed.row(batches))?;
                }
            }
        }
        *places = kept;
        Ok(())
    }

    /// The row that has this time. If there are several, from a time when each was kept, the one stored last.
    fn holder(&self, key: RowKey) -> rusqlite::Result<Option<Holder>> {
        let RowKey { series, place } = key;
        let in_tail = self.merge.tail.newest_at(series, place.stored_at);
        let in_table: Option<i64> = self
            .connection
            .prepare_cached(sql::NEWEST_AT)?
            .query_row((series, place.stored_at), |r| r.get(0))
            .optional()?;
        let key = |sequence| RowKey::new(series, place.stored_at, sequence);
        let merged = match (in_table, self.packed_at(key(i64::MAX))?) {
            (table, Some((sequence, chunk))) if Some(sequence) > table => {
                Some((sequence, Holder::Chunk(key(sequence), chunk)))
            }
            (table, _) => table.map(|sequence| (sequence, Holder::Table(key(sequence)))),
        };
        Ok(match (in_tail, merged) {
            (Some(Place { sequence, .. }), merged)
                if merged.as_ref().is_none_or(|(other, _)| sequence > *other) =>
            {
                Some(Holder::Tail(key(sequence)))
            }
            (_, merged) => merged.map(|(_, holder)| holder),
        })
    }

    /// Of the packed rows with the time of this key the one stored last.
    fn packed_at(&self, key: RowKey) -> rusqlite::Result<Option<(i64, ChunkPlace)>> {
        let at = key.place.stored_at;
        let bounds = (Place::first_at(at), Place::last_at(at));
        let connection = &self.connection;
        let Some(chunk) = place::next(connection, key.series, bounds, Order::NewestFirst)? else {
            return Ok(None);
        };
        let mut last = self.last_chunk.borrow_mut();
        let rows = last.open(connection, &chunk)?.map_err(damage)?;
        let within = rows.places[rows.between(&chunk, bounds.0, bounds.1)].last();
        Ok(within.map(|place| (place.sequence, chunk)))
    }
}

impl Holder {
    /// The row keeps its place, so that what other connections know of it stays true.
    fn replace(self, connection: &Connection, row: Row<'_>) -> rusqlite::Result<()> {
        let (Self::Table(key) | Self::Tail(key) | Self::Chunk(key, _)) = self;
        if let Self::Chunk(_, chunk) = &self {
            unpack(connection, chunk)?;
        }
        let RowKey { series, place } = key;
        large::replace(connection, place.sequence, row.json)?;
        let seal = seal(key, row.version, row.json.as_bytes());
        let value = large::within_row(row.json);
        match self {
            Self::Table(_) | Self::Chunk(..) => connection
                .prepare_cached(sql::REPLACE_ROW)?
                .execute((series, place.stored_at, place.sequence, seal, value)),
            Self::Tail(_) => connection.prepare_cached(sql::REPLACE_IN_TAIL)?.execute((
                place.sequence,
                seal,
                value,
            )),
        }
        .map(drop)
    }
}
