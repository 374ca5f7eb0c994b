//! Inserting rows: their series, their sequence numbers, and which table they go to.

use std::sync::Arc;

use aimdb_persistence::{BatchOutcome, OnDuplicate, PersistenceError, Row, Rows};
use rusqlite::OptionalExtension;

use crate::layout::merge::Merge;
use crate::layout::sql;
use crate::layout::tail::Key;
use crate::write::connection::{Sync, WriteConnection};
use crate::write::declared;
use crate::write::judge;

/// Sequence numbers are reserved in blocks, so that not every commit touches the page they are
/// counted on.
const SEQUENCE_BLOCK: i64 = 4_096;

/// A commit goes to the clustered table at once where it fills the pages it touches: with so many
/// rows of each series and enough in all to make up for the page that says so, or so many in all
/// that a merge would not gather many more.
const DENSE_ROWS_PER_SERIES: usize = 16;
const DENSE_ROWS: usize = 64;
const FLOOD_ROWS: usize = 512;

/// Longer values lie in a table of their own: among the clustered rows they would be moved, and
/// written again, with every row that comes between.
pub(crate) const LARGE_BYTES: usize = 400;

/// What the writer has to know of a series.
#[derive(Clone, Copy)]
pub(crate) struct Series {
    id: i64,
    on_duplicate: OnDuplicate,
}

/// Where a row goes, and where it is found in the batches.
pub(crate) struct Placed {
    pub(crate) key: Key,
    pub(crate) on_duplicate: OnDuplicate,
    pub(crate) batch: usize,
    pub(crate) index: usize,
}

impl WriteConnection {
    /// Stores the batches in one transaction. Rows that can never be stored are refused alone; any
    /// other failure stores nothing of any batch.
    pub(crate) fn store(&mut self, batches: &[Arc<Rows>]) -> Vec<BatchOutcome> {
        let refused: Vec<_> = batches.iter().map(|rows| judge::refusals(rows)).collect();
        let is_left = |(rows, refused): (&Arc<Rows>, &Vec<_>)| refused.len() < rows.len();
        let stored = if batches.iter().zip(&refused).any(is_left) {
            self.transaction(Sync::WithCommit, "storing rows", |this| {
                this.insert(batches, &refused)
            })
        } else {
            Ok(vec![Vec::new(); batches.len()])
        };
        let outcome = |(batch, refused): (usize, Vec<_>)| {
            let rows = &batches[batch];
            let left_out = match &stored {
                Err(failure) if refused.len() < rows.len() => {
                    return BatchOutcome::stopped(failure.clone().into());
                }
                Err(_) => Vec::new(),
                Ok(left_out) => left_out[batch].clone(),
            };
            BatchOutcome {
                settled: rows.len(),
                left_out,
                refused,
                stopped_by: None,
            }
        };
        refused.into_iter().enumerate().map(outcome).collect()
    }

    /// Gives back which rows of each batch were left out.
    fn insert(
        &mut self,
        batches: &[Arc<Rows>],
        refused: &[Vec<(usize, PersistenceError)>],
    ) -> rusqlite::Result<Vec<Vec<usize>>> {
        let mut places = self.places(batches, refused)?;
        let mut left_out = vec![Vec::new(); batches.len()];
        self.settle_duplicates(&mut places, batches, &mut left_out)?;
        let mut insert_large = self.connection.prepare_cached(sql::INSERT_LARGE)?;
        for placed in &places {
            let json = row(batches, placed).json;
            if json.len() > LARGE_BYTES {
                insert_large.execute((placed.key.place.sequence, json))?;
            }
        }
        // In the table's order: neighbours share pages.
        let last_sequence = places.last().map(|placed| placed.key.place.sequence);
        places.sort_unstable_by_key(|placed| placed.key);
        let insert = if goes_in_place(&places, &self.merge) {
            // Nothing in the clustered table tells a query which of its rows came last.
            self.connection
                .prepare_cached(sql::SET_LAST_DIRECT_SEQUENCE)?
                .execute([last_sequence])?;
            sql::INSERT_ROW
        } else {
            places.sort_unstable_by_key(|placed| placed.key.place.sequence);
            self.merge.note_appended(places.len());
            sql::APPEND_ROW
        };
        let mut insert = self.connection.prepare_cached(insert)?;
        for placed in &places {
            let (Key { series, place }, row) = (placed.key, row(batches, placed));
            let value = Some(row.json).filter(|json| json.len() <= LARGE_BYTES);
            insert.execute((series, place.stored_at, place.sequence, version(row), value))?;
        }
        Ok(left_out)
    }

    /// Where each row goes, in order of arrival.
    fn places(
        &mut self,
        batches: &[Arc<Rows>],
        refused: &[Vec<(usize, PersistenceError)>],
    ) -> rusqlite::Result<Vec<Placed>> {
        let count = batches.iter().map(|rows| rows.len()).sum();
        let mut sequence = self.reserve_sequences(count)?;
        let mut places = Vec::with_capacity(count);
        for (batch, (rows, refused)) in batches.iter().zip(refused).enumerate() {
            let mut refused = refused.iter().map(|(index, _)| *index).peekable();
            let mut series_of_name = vec![None; rows.names().len()];
            for (index, row) in rows.iter().enumerate() {
                if refused.next_if_eq(&index).is_some() {
                    continue;
                }
                let series = match series_of_name[rows.name_index(index)] {
                    Some(series) => series,
                    None => self.series(row.record_name)?,
                };
                series_of_name[rows.name_index(index)] = Some(series);
                places.push(Placed {
                    key: Key::new(series.id, row.stored_at.cast_signed(), sequence),
                    on_duplicate: series.on_duplicate,
                    batch,
                    index,
                });
                sequence += 1;
            }
        }
        Ok(places)
    }

    /// The first of `count` consecutive numbers that no row of the file has.
    fn reserve_sequences(&mut self, count: usize) -> rusqlite::Result<i64> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if self.sequences.end - self.sequences.start < count {
            let block = count.max(SEQUENCE_BLOCK);
            let end: i64 = self
                .connection
                .prepare_cached(sql::RESERVE_SEQUENCES)?
                .query_row([block], |r| r.get(0))?;
            // Numbers begin at 1; whatever else stands there, nobody of ours has written it.
            let start = end.checked_sub(block).filter(|start| *start > 0);
            let start = start.ok_or(rusqlite::Error::IntegralValueOutOfRange(0, end))?;
            self.sequences = start..end;
        }
        let first = self.sequences.start;
        self.sequences.start += count;
        Ok(first)
    }

    fn series(&mut self, key: &str) -> rusqlite::Result<Series> {
        if let Some(series) = self.series.get(key) {
            return Ok(*series);
        }
        let read = |r: &rusqlite::Row<'_>| {
            Ok(Series {
                id: r.get(0)?,
                on_duplicate: declared::on_duplicate(r.get(1)?),
            })
        };
        let known = self
            .connection
            .prepare_cached(sql::SERIES_ID)?
            .query_row([key], read)
            .optional()?;
        let series = match known {
            Some(series) => series,
            None => Series {
                id: self
                    .connection
                    .prepare_cached(sql::ADD_SERIES)?
                    .query_row([key], |r| r.get(0))?,
                on_duplicate: OnDuplicate::Keep,
            },
        };
        self.series.insert(key.into(), series);
        Ok(series)
    }
}

pub(crate) fn row<'a>(batches: &'a [Arc<Rows>], placed: &Placed) -> Row<'a> {
    let row = batches[placed.batch].get(placed.index);
    row.expect("the index came from this batch")
}

/// The version of a row's type as the file has it.
pub(crate) fn version(row: Row<'_>) -> Option<u32> {
    (row.version > 0).then_some(row.version)
}

/// Whether rows, in the clustered table's order, are to go there at once.
fn goes_in_place(places: &[Placed], merge: &Merge) -> bool {
    let (rows, series) = (
        places.len(),
        places
            .chunk_by(|one, next| one.key.series == next.key.series)
            .count(),
    );
    let is_dense = rows >= DENSE_ROWS.max(DENSE_ROWS_PER_SERIES * series);
    is_dense || (rows >= FLOOD_ROWS && !merge.gathers_more_than(rows, series))
}
