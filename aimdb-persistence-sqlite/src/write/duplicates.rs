//! Series that keep one row for each time: what becomes of a row whose time another one has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use aimdb_persistence::{OnDuplicate, Row, Rows};
use rusqlite::{Connection, OptionalExtension};

use crate::layout::sql;
use crate::layout::tail::{Key, Place};
use crate::write::connection::WriteConnection;
use crate::write::insert::{self, LARGE_BYTES, Placed};

/// Where the row lies that has a time already.
enum Holder {
    Table(Key),
    Tail(Key),
}

impl WriteConnection {
    /// Takes out of `places`, which are in order of arrival, the rows that are not to be added: they have taken the
    /// place of another, or are left out, which is noted by batch. Within the transaction that adds the others.
    pub(crate) fn settle_duplicates(
        &mut self,
        places: &mut Vec<Placed>,
        batches: &[Arc<Rows>],
        left_out: &mut [Vec<usize>],
    ) -> rusqlite::Result<()> {
        if places.iter().all(|p| p.on_duplicate == OnDuplicate::Keep) {
            return Ok(());
        }
        self.merge.tail.refresh(&self.connection)?;
        let mut added = HashMap::new();
        let mut kept: Vec<Placed> = Vec::with_capacity(places.len());
        for placed in places.drain(..) {
            let Key { series, place } = placed.key;
            if placed.on_duplicate == OnDuplicate::Keep {
                kept.push(placed);
                continue;
            }
            let entry = match added.entry((series, place.stored_at)) {
                Entry::Occupied(earlier) => {
                    let earlier: &mut Placed = &mut kept[*earlier.get()];
                    match placed.on_duplicate {
                        OnDuplicate::Ignore => left_out[placed.batch].push(placed.index),
                        _ => (earlier.batch, earlier.index) = (placed.batch, placed.index),
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
                    left_out[placed.batch].push(placed.index);
                }
                Some(holder) => holder.replace(&self.connection, insert::row(batches, &placed))?,
            }
        }
        *places = kept;
        Ok(())
    }

    /// The row that has this time; where several were stored before one was to be kept, the one stored last.
    fn holder(&self, key: Key) -> rusqlite::Result<Option<Holder>> {
        let Key { series, place } = key;
        let in_tail = self.merge.tail.newest_at(series, place.stored_at);
        let in_table: Option<i64> = self
            .connection
            .prepare_cached(sql::NEWEST_AT)?
            .query_row((series, place.stored_at), |r| r.get(0))
            .optional()?;
        let key = |sequence| Key::new(series, place.stored_at, sequence);
        Ok(match (in_tail, in_table) {
            (Some(Place { sequence, .. }), table) if Some(sequence) > table => {
                Some(Holder::Tail(key(sequence)))
            }
            (_, Some(sequence)) => Some(Holder::Table(key(sequence))),
            _ => None,
        })
    }
}

impl Holder {
    /// The row keeps its place, so that what others know of it holds.
    fn replace(self, connection: &Connection, row: Row<'_>) -> rusqlite::Result<()> {
        let (Self::Table(Key { place, .. }) | Self::Tail(Key { place, .. })) = self;
        connection
            .prepare_cached(sql::REMOVE_LARGE)?
            .execute([place.sequence])?;
        let value = Some(row.json).filter(|json| json.len() <= LARGE_BYTES);
        if value.is_none() {
            connection
                .prepare_cached(sql::INSERT_LARGE)?
                .execute((place.sequence, row.json))?;
        }
        let version = insert::version(row);
        match self {
            Self::Table(Key { series, place }) => connection
                .prepare_cached(sql::REPLACE_ROW)?
                .execute((series, place.stored_at, place.sequence, version, value)),
            Self::Tail(_) => connection.prepare_cached(sql::REPLACE_IN_TAIL)?.execute((
                place.sequence,
                version,
                value,
            )),
        }
        .map(drop)
    }
}
