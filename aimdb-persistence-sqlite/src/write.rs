//! The connection that writes: transactions, series ids, sequence numbers, inserts, declarations.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    BatchOutcome, PersistenceError, Retention, Rows, SeriesDeclaration, validate_key,
};
use rusqlite::{Connection, OptionalExtension};

use crate::error::Failure;
use crate::judge;
use crate::open;
use crate::sql;

/// Sequence numbers are reserved in blocks, so that not every commit touches the page they are
/// counted on.
const SEQUENCE_BLOCK: i64 = 4_096;

pub(crate) struct WriteConnection {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    busy_timeout: Duration,
    /// Ids of series seen so far: right as long as no other connection has written.
    series_ids: HashMap<Box<str>, i64>,
    /// Reserved and not yet used: larger than every number in the file, as long as no other
    /// connection has written.
    sequences: Range<i64>,
    /// SQLite's count of what other connections have committed.
    data_version: i64,
    has_committed: bool,
}

/// A row's place in the clustered table, and where it is found in the batches.
type Place = (i64, i64, i64, usize, usize);

impl WriteConnection {
    pub(crate) fn new(connection: Connection, path: PathBuf, busy_timeout: Duration) -> Self {
        connection.set_prepared_statement_cache_capacity(32);
        Self {
            connection,
            path,
            busy_timeout,
            series_ids: HashMap::new(),
            sequences: 0..0,
            data_version: 0,
            has_committed: false,
        }
    }

    /// Runs `work` in one transaction: all of it happens, or nothing.
    pub(crate) fn transaction<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        self.try_transaction(work).map_err(|error| {
            self.roll_back();
            Failure::of_sqlite(&self.path, doing, error)
        })
    }

    fn try_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        open::begin_write(&self.connection, self.busy_timeout)?;
        let data_version: i64 = self
            .connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |r| r.get(0))?;
        if data_version != self.data_version {
            self.forget();
            self.data_version = data_version;
        }
        let result = work(self)?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.has_committed = true;
        Ok(result)
    }

    /// Whether anything was committed since this was asked last.
    pub(crate) fn take_committed(&mut self) -> bool {
        std::mem::take(&mut self.has_committed)
    }

    /// What was learnt or reserved within the transaction is gone with it.
    fn roll_back(&mut self) {
        self.forget();
        if !self.connection.is_autocommit() {
            // Should even this fail, the next BEGIN does, and says so to its callers.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn forget(&mut self) {
        self.series_ids.clear();
        self.sequences = 0..0;
    }

    /// Stores the batches in one transaction. Rows that can never be stored are refused alone; any
    /// other failure stores nothing of any batch.
    pub(crate) fn store(&mut self, batches: &[Arc<Rows>]) -> Vec<BatchOutcome> {
        let refused: Vec<_> = batches.iter().map(|rows| judge::refusals(rows)).collect();
        let is_left = |(rows, refused): (&Arc<Rows>, &Vec<_>)| refused.len() < rows.len();
        let stored = if batches.iter().zip(&refused).any(is_left) {
            self.transaction("storing rows", |this| this.insert(batches, &refused))
        } else {
            Ok(())
        };
        let outcome = |(rows, refused): (&Arc<Rows>, Vec<_>)| match &stored {
            Err(failure) if refused.len() < rows.len() => {
                BatchOutcome::stopped(failure.clone().into())
            }
            _ => BatchOutcome {
                settled: rows.len(),
                refused,
                stopped_by: None,
            },
        };
        batches.iter().zip(refused).map(outcome).collect()
    }

    fn insert(
        &mut self,
        batches: &[Arc<Rows>],
        refused: &[Vec<(usize, PersistenceError)>],
    ) -> rusqlite::Result<()> {
        let places = self.places(batches, refused)?;
        let mut insert = self.connection.prepare_cached(sql::INSERT_ROW)?;
        for (series, stored_at, sequence, batch, index) in places {
            let row = batches[batch]
                .get(index)
                .expect("the index came from this batch");
            insert.execute((series, stored_at, sequence, row.json))?;
        }
        Ok(())
    }

    /// Where each row goes, in the table's order: neighbours share pages.
    fn places(
        &mut self,
        batches: &[Arc<Rows>],
        refused: &[Vec<(usize, PersistenceError)>],
    ) -> rusqlite::Result<Vec<Place>> {
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
                    None => self.series_id(row.record_name)?,
                };
                series_of_name[rows.name_index(index)] = Some(series);
                places.push((series, row.stored_at.cast_signed(), sequence, batch, index));
                sequence += 1;
            }
        }
        places.sort_unstable();
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
            self.sequences = end - block..end;
        }
        let first = self.sequences.start;
        self.sequences.start += count;
        Ok(first)
    }

    fn series_id(&mut self, key: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.series_ids.get(key) {
            return Ok(*id);
        }
        let known = self
            .connection
            .prepare_cached(sql::SERIES_ID)?
            .query_row([key], |r| r.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => self
                .connection
                .prepare_cached(sql::ADD_SERIES)?
                .query_row([key], |r| r.get(0))?,
        };
        self.series_ids.insert(key.into(), id);
        Ok(id)
    }

    /// Writes what differs from what the file holds, and nothing if nothing does.
    pub(crate) fn declare(
        &mut self,
        declarations: &[SeriesDeclaration],
    ) -> Result<(), PersistenceError> {
        for declaration in declarations {
            validate_key(&declaration.record_name)?;
        }
        // Of several declarations of one series the last one holds.
        let wanted: BTreeMap<&str, Declared> = declarations
            .iter()
            .map(|d| (&*d.record_name, Declared::from(d)))
            .collect();
        let news = self
            .news(wanted)
            .map_err(|error| Failure::of_sqlite(&self.path, "reading what is declared", error))?;
        if news.is_empty() {
            return Ok(());
        }
        self.transaction("declaring series", |this| {
            let mut declare = this.connection.prepare_cached(sql::DECLARE)?;
            for (key, declared) in &news {
                declare.execute((key, &declared.template, declared.retention_ms))?;
            }
            let mut raise = this
                .connection
                .prepare_cached(sql::RAISE_SERIES_GENERATION)?;
            raise.execute([]).map(drop)
        })?;
        Ok(())
    }

    fn news<'a>(
        &self,
        mut wanted: BTreeMap<&'a str, Declared>,
    ) -> rusqlite::Result<BTreeMap<&'a str, Declared>> {
        let mut declared = self.connection.prepare_cached(sql::DECLARED)?;
        let mut failed = None;
        wanted.retain(|key, wanted| {
            let found = declared
                .query_row([key], |r| {
                    Ok((r.get::<_, Option<String>>(0)?, r.get::<_, Option<i64>>(1)?))
                })
                .optional();
            match found {
                Ok(Some((Some(template), retention_ms))) => {
                    template != wanted.template || retention_ms != wanted.retention_ms
                }
                Ok(_) => true,
                Err(error) => {
                    failed.get_or_insert(error);
                    true
                }
            }
        });
        failed.map_or(Ok(wanted), Err)
    }
}

/// A declaration as the file keeps it.
struct Declared {
    template: &'static str,
    retention_ms: Option<i64>,
}

/// What stands in the file for a retention without end.
pub(crate) const FOREVER: i64 = -1;

impl From<&SeriesDeclaration> for Declared {
    fn from(declaration: &SeriesDeclaration) -> Self {
        Self {
            template: declaration.template,
            retention_ms: declaration.retention.map(|retention| match retention {
                Retention::Forever => FOREVER,
                Retention::Milliseconds(length) => i64::try_from(length).unwrap_or(i64::MAX),
            }),
        }
    }
}
