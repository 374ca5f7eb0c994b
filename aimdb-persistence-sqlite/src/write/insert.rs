//! Inserting rows: their series, their sequence numbers, and which table they go to.

use std::sync::Arc;

use aimdb_persistence_backend::{BatchOutcome, OnDuplicate, PersistenceError, Rows};
use rusqlite::OptionalExtension;

use crate::error::damage;
use crate::layout::declared::on_duplicate;
use crate::layout::large::{self, expect_one};
use crate::layout::last_stored;
use crate::layout::merge::Merge;
use crate::layout::place::RowKey;
use crate::layout::seal::seal;
use crate::layout::sql;
use crate::write::connection::{Series, Sync, WriteConnection};
use crate::write::duplicates::Resolved;
use crate::write::placed::Placed;
use crate::write::refusals::refusals;

/// Sequence numbers are reserved in blocks, so that not every commit touches the page of their counter.
const SEQUENCE_BLOCK: i64 = 4_096;

/// A commit goes to the clustered table at once if it fills the pages it touches. So it does with so many rows of each
/// series, and enough in all to make up for the page that says so; or with so many in all that a merge would not
/// gather many more.
const DENSE_ROWS_PER_SERIES: usize = 16;
const DENSE_ROWS: usize = 64;
const FLOOD_ROWS: usize = 512;

impl WriteConnection {
    /// Stores the batches in one transaction. A row that can never be stored is refused, and the others are stored. After any
    /// other failure nothing of any batch is stored.
    pub(crate) fn store(&mut self, batches: &[Arc<Rows>]) -> Vec<BatchOutcome> {
        let refused: Vec<_> = batches.iter().map(|rows| refusals(rows)).collect();
        let is_left = |(rows, refused): (&Arc<Rows>, &Vec<_>)| refused.len() < rows.len();
        let stored = if batches.iter().zip(&refused).any(is_left) {
            self.transaction(Sync::WithCommit, "storing rows", |this| {
                this.insert(batches, &refused)
            })
        } else {
            Ok(vec![Resolved::default(); batches.len()])
        };
        let mut stored = stored.map(Vec::into_iter);
        let outcome = |(rows, refused): (&Arc<Rows>, Vec<_>)| {
            let Resolved { left_out, replaced } = match &mut stored {
                Ok(resolved) => resolved.next().unwrap_or_default(),
                Err(failure) if refused.len() < rows.len() => {
                    return BatchOutcome::stopped(failure.clone().into());
                }
                Err(_) => Resolved::default(),
            };
            BatchOutcome {
                settled: rows.len(),
                left_out,
                replaced,
                refused,
                stopped_by: None,
            }
        };
        batches.iter().zip(refused).map(outcome).collect()
    }

    /// Says which rows of each batch were left out, or have replaced others.
    fn insert(
        &mut self,
        batches: &[Arc<Rows>],
        refused: &[Vec<(usize, PersistenceError)>],
    ) -> rusqlite::Result<Vec<Resolved>> {
        let mut places = self.places(batches, refused)?;
        let mut resolved = vec![Resolved::default(); batches.len()];
        self.resolve_duplicates(&mut places, batches, &mut resolved)?;
        for placed in &places {
            let sequence = placed.key.place.sequence;
            large::insert(&self.connection, sequence, placed.row(batches).json)?;
        }
        // In the table's order: neighbours share pages.
        let last_sequence = places.last().map(|placed| placed.key.place.sequence);
        places.sort_unstable_by_key(|placed| placed.key);
        let insert = if goes_in_place(&places, &self.merge) {
            // Nothing in the clustered table tells a query which of its rows came last.
            self.connection
                .prepare_cached(sql::SET_LAST_DIRECT_SEQUENCE)?
                .execute([last_sequence])?;
            last_stored::note(&self.connection, places.iter().map(|placed| placed.key))?;
            sql::INSERT_ROW
        } else {
            places.sort_unstable_by_key(|placed| placed.key.place.sequence);
            self.merge.note_appended(places.len());
            sql::APPEND_ROW
        };
        let mut insert = self.connection.prepare_cached(insert)?;
        for placed in &places {
            let (RowKey { series, place }, row) = (placed.key, placed.row(batches));
            let seal = seal(placed.key, row.version, row.json.as_bytes());
            let value = large::within_row(row.json);
            let inserted = (series, place.stored_at, place.sequence, seal, value);
            expect_one(insert.execute(inserted)?)?;
        }
        Ok(resolved)
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
                    key: RowKey::new(series.id, row.stored_at.cast_signed(), sequence),
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
            // Numbers begin at 1. This program has not written anything else.
            let start = end.checked_sub(block).filter(|start| *start > 0);
            let start = start.ok_or(rusqlite::Error::IntegralValueOutOfRange(0, end))?;
            self.sequences = start..end;
        }
        let first = self.sequences.start;
        self.sequences.start += count;
        Ok(first)
    }

    fn series(&mut self, record_name: &str) -> rusqlite::Result<Series> {
        if let Some(series) = self.series.get(record_name) {
            return Ok(*series);
        }
        let read = |r: &rusqlite::Row<'_>| {
            if !r.get::<_, bool>(2)? {
                return Err(damage(
                    "what is declared of a series is not as it was written",
                ));
            }
            Ok(Series {
                id: r.get(0)?,
                on_duplicate: on_duplicate(r.get(1)?),
            })
        };
        let known = self
            .connection
            .prepare_cached(sql::SERIES_ID)?
            .query_row([record_name], read)
            .optional()?;
        let series = match known {
            Some(series) => series,
            None => Series {
                id: self
                    .connection
                    .prepare_cached(sql::ADD_SERIES)?
                    .query_row([record_name], |r| r.get(0))?,
                on_duplicate: OnDuplicate::Keep,
            },
        };
        self.series.insert(record_name.into(), series);
        Ok(series)
    }
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
