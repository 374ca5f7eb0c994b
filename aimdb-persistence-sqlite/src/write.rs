//! The connection that writes: transactions, series ids, sequence numbers, inserts, declarations.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    BatchOutcome, OnDuplicate, PersistenceError, Row, Rows, SeriesDeclaration, StorageErrorKind,
    validate_key,
};
use rusqlite::{Connection, OptionalExtension};

use crate::declared::{self, Declared};
use crate::error::Failure;
use crate::file;
use crate::judge;
use crate::merge::Merge;
use crate::open;
use crate::options::{Durability, SqliteBackendBuilder};
use crate::reserve::Reserve;
use crate::sql;
use crate::tail::Key;

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

/// What was declared of series in this run: a new file has to be told.
pub(crate) type Declarations = BTreeMap<Arc<str>, SeriesDeclaration>;

pub(crate) struct WriteConnection {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) merge: Merge,
    /// `None` for an in-memory database.
    reserve: Option<Reserve>,
    busy_timeout: Duration,
    syncs_stores: bool,
    /// What SQLite has been told to do at a commit.
    sync: Option<Sync>,
    /// Series seen so far: right as long as no other connection has written.
    series: HashMap<Box<str>, Series>,
    /// Reserved and not yet used: larger than every number in the file, as long as no other
    /// connection has written.
    sequences: Range<i64>,
    /// SQLite's count of what other connections have committed.
    data_version: i64,
    has_committed: bool,
    /// What is wrong with the file, once that is known: nothing more is written into it.
    damage: Option<Failure>,
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

/// What the writer has to know of a series.
#[derive(Clone, Copy)]
struct Series {
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
    pub(crate) fn new(
        connection: Connection,
        path: PathBuf,
        options: &SqliteBackendBuilder,
    ) -> Self {
        connection.set_prepared_statement_cache_capacity(32);
        let reserve = (path.as_os_str() != file::IN_MEMORY)
            .then(|| Reserve::new(&path, options.reserve_bytes, options.file_mode));
        Self {
            connection,
            path,
            reserve,
            merge: Merge::new(options.tail_rows_within_limit()),
            busy_timeout: options.busy_timeout,
            syncs_stores: options.durability == Durability::Full,
            sync: None,
            series: HashMap::new(),
            sequences: 0..0,
            data_version: 0,
            has_committed: false,
            damage: None,
        }
    }

    /// Takes note of damage to the file, if that is what the failure is.
    pub(crate) fn note(&mut self, failure: Failure) -> Failure {
        if failure.kind() == StorageErrorKind::Corrupt {
            self.damage.get_or_insert_with(|| failure.clone());
            // Should this fail, the log is folded in when the file is closed, as usual.
            let _ = open::leave_log_when_closed(&self.connection, true);
        }
        failure
    }

    pub(crate) fn damage(&self) -> Option<&Failure> {
        self.damage.as_ref()
    }

    /// After a removal that found the disk full: whether it may be tried again.
    pub(crate) fn make_room(&mut self, failure: &Failure) -> bool {
        if failure.kind() != StorageErrorKind::DiskFull
            || !self.reserve.as_mut().is_some_and(Reserve::give_up)
        {
            return false;
        }
        // What has been copied into the file is room in the log. Should this fail, the next attempt does, too.
        let _ = self
            .connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        true
    }

    /// After a removal that is done.
    pub(crate) fn restore_reserve(&mut self) {
        if let Some(reserve) = &mut self.reserve {
            reserve.restore();
        }
    }

    /// Runs `work` in one transaction: all of it happens, or nothing.
    pub(crate) fn transaction<T>(
        &mut self,
        sync: Sync,
        doing: &str,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        self.try_transaction(sync, work).map_err(|error| {
            self.roll_back();
            self.note(Failure::of_sqlite(&self.path, doing, error))
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

    pub(crate) fn forget(&mut self) {
        self.series.clear();
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

    pub(crate) fn declare(
        &mut self,
        declarations: &[SeriesDeclaration],
    ) -> Result<(), PersistenceError> {
        for declaration in declarations {
            validate_key(&declaration.record_name)?;
        }
        Ok(self.write_declarations(declarations)?)
    }

    /// Writes what differs from what the file holds, and nothing if nothing does.
    pub(crate) fn write_declarations(
        &mut self,
        declarations: &[SeriesDeclaration],
    ) -> Result<(), Failure> {
        // Of several declarations of one series the last one holds.
        let wanted: BTreeMap<&str, Declared> = declarations
            .iter()
            .map(|d| (&*d.record_name, Declared::from(d)))
            .collect();
        let news = self.news(wanted).map_err(|error| {
            self.note(Failure::of_sqlite(
                &self.path,
                "reading what is declared",
                error,
            ))
        })?;
        if news.is_empty() {
            return Ok(());
        }
        self.transaction(Sync::WithCommit, "declaring series", |this| {
            for (key, declared) in &news {
                declared.write(&this.connection, key)?;
            }
            this.series.clear();
            let mut raise = this
                .connection
                .prepare_cached(sql::RAISE_SERIES_GENERATION)?;
            raise.execute([]).map(drop)
        })
    }

    fn news<'a>(
        &self,
        wanted: BTreeMap<&'a str, Declared>,
    ) -> rusqlite::Result<BTreeMap<&'a str, Declared>> {
        let mut news = BTreeMap::new();
        for (key, wanted) in wanted {
            let known = Declared::read(&self.connection, key)?;
            let wanted = wanted.after(known.as_ref());
            if known.as_ref() != Some(&wanted) {
                news.insert(key, wanted);
            }
        }
        Ok(news)
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
