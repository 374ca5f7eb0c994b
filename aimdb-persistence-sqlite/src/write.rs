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
use crate::merge::Merge;
use crate::open;
use crate::options::{Durability, SqliteBackendBuilder};
use crate::sql;
use crate::tail::Key;

/// Sequence numbers are reserved in blocks, so that not every commit touches the page they are
/// counted on.
const SEQUENCE_BLOCK: i64 = 4_096;

/// A commit goes to the clustered table at once where it fills the pages it touches: with so many
/// rows of each series and enough in all to make up for the page that says so, or so many that a
/// merge would not gather many more.
const DENSE_ROWS_PER_SERIES: usize = 8;
const DENSE_ROWS: usize = 64;
const FLOOD_ROWS: usize = 512;

/// Longer values lie in a table of their own: among the clustered rows they would be moved, and
/// written again, with every row that comes between.
pub(crate) const LARGE_BYTES: usize = 400;

pub(crate) struct WriteConnection {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) merge: Merge,
    busy_timeout: Duration,
    syncs_stores: bool,
    /// What SQLite has been told to do at a commit.
    sync: Option<Sync>,
    /// Ids of series seen so far: right as long as no other connection has written.
    series_ids: HashMap<Box<str>, i64>,
    /// Reserved and not yet used: larger than every number in the file, as long as no other
    /// connection has written.
    sequences: Range<i64>,
    /// SQLite's count of what other connections have committed.
    data_version: i64,
    has_committed: bool,
}

/// Whether a transaction is on the disk when it has been committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// As the durability has it.
    WithCommit,
    /// With a later commit, or when SQLite copies the log into the file.
    ///
    /// Right for what moves or removes rows: a power cut undoes it as a whole, together with what
    /// was committed after it, and nothing that was synced: SQLite recovers the log up to some commit,
    /// and each sync is one of the log as a whole.
    Later,
}

/// Where a row goes, and where it is found in the batches.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    key: Key,
    batch: usize,
    index: usize,
}

impl WriteConnection {
    pub(crate) fn new(
        connection: Connection,
        path: PathBuf,
        options: &SqliteBackendBuilder,
    ) -> Self {
        connection.set_prepared_statement_cache_capacity(32);
        Self {
            connection,
            path,
            merge: Merge::new(options.tail_rows),
            busy_timeout: options.busy_timeout,
            syncs_stores: options.durability == Durability::Full,
            sync: None,
            series_ids: HashMap::new(),
            sequences: 0..0,
            data_version: 0,
            has_committed: false,
        }
    }

    /// Runs `work` in one transaction: all of it happens, or nothing.
    pub(crate) fn transaction<T>(
        &mut self,
        sync: Sync,
        doing: &str,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        self.try_transaction(sync, work).map_err(|error| {
            self.roll_back();
            Failure::of_sqlite(&self.path, doing, error)
        })
    }

    fn try_transaction<T>(
        &mut self,
        sync: Sync,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.use_sync(sync)?;
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

    fn use_sync(&mut self, sync: Sync) -> rusqlite::Result<()> {
        if self.sync == Some(sync) {
            return Ok(());
        }
        let synchronous = match sync {
            Sync::WithCommit if self.syncs_stores => "FULL",
            Sync::WithCommit | Sync::Later => "NORMAL",
        };
        self.connection
            .pragma_update(None, "synchronous", synchronous)?;
        self.sync = Some(sync);
        Ok(())
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
            self.transaction(Sync::WithCommit, "storing rows", |this| {
                this.insert(batches, &refused)
            })
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
        let mut places = self.places(batches, refused)?;
        let json = |placed: &Placed| {
            let row = batches[placed.batch].get(placed.index);
            row.expect("the index came from this batch").json
        };
        let mut insert_large = self.connection.prepare_cached(sql::INSERT_LARGE)?;
        for placed in &places {
            if json(placed).len() > LARGE_BYTES {
                insert_large.execute((placed.key.place.sequence, json(placed)))?;
            }
        }
        // In the table's order: neighbours share pages.
        let last_sequence = places.last().map(|placed| placed.key.place.sequence);
        places.sort_unstable();
        let insert = if fills_its_pages(&places) {
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
            let Key { series, place } = placed.key;
            let value = Some(json(placed)).filter(|json| json.len() <= LARGE_BYTES);
            insert.execute((series, place.stored_at, place.sequence, value))?;
        }
        Ok(())
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
                    None => self.series_id(row.record_name)?,
                };
                series_of_name[rows.name_index(index)] = Some(series);
                let key = Key::new(series, row.stored_at.cast_signed(), sequence);
                places.push(Placed { key, batch, index });
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
        self.transaction(Sync::WithCommit, "declaring series", |this| {
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

/// Whether rows, in the clustered table's order, are to go there at once.
fn fills_its_pages(places: &[Placed]) -> bool {
    let runs = places.chunk_by(|one, next| one.key.series == next.key.series);
    let dense_rows = DENSE_ROWS.max(DENSE_ROWS_PER_SERIES * runs.count());
    places.len() >= dense_rows.min(FLOOD_ROWS)
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
