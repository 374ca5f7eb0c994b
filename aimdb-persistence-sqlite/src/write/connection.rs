//! The connection that writes: its transactions, and what it knows of the file between them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{SeriesDeclaration, StorageErrorKind};
use rusqlite::Connection;

use crate::error::Failure;
use crate::file::log::{Log, may_have_lost_pages};
use crate::file::open;
use crate::file::paths;
use crate::file::reserve::Reserve;
use crate::layout::merge::Merge;
use crate::layout::transaction;
use crate::options::{Durability, SqliteBackendBuilder};
use crate::write::insert::Series;

/// What was declared of series in this run: a new file has to be told.
pub(crate) type Declarations = BTreeMap<Arc<str>, SeriesDeclaration>;

pub(crate) struct WriteConnection {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) merge: Merge,
    /// `None` for an in-memory database.
    pub(crate) log: Option<Log>,
    /// `None` for an in-memory database.
    reserve: Option<Reserve>,
    busy_timeout: Duration,
    syncs_stores: bool,
    /// What SQLite has been told to do at a commit.
    sync: Option<Sync>,
    /// Series seen so far: right as long as no other connection has written.
    pub(crate) series: HashMap<Box<str>, Series>,
    /// Reserved and not yet used: larger than every number in the file, as long as no other
    /// connection has written.
    pub(crate) sequences: Range<i64>,
    /// SQLite's count of what other connections have committed.
    data_version: i64,
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

impl WriteConnection {
    pub(crate) fn new(
        mut connection: Connection,
        path: PathBuf,
        options: &SqliteBackendBuilder,
    ) -> Result<Self, Failure> {
        connection.set_prepared_statement_cache_capacity(32);
        let is_in_memory = path.as_os_str() == paths::IN_MEMORY;
        let log = match is_in_memory {
            true => None,
            false => Some(
                Log::of(
                    &mut connection,
                    &path,
                    options.durability,
                    options.busy_timeout,
                )
                .map_err(|error| Failure::of_sqlite(&path, "watching its log", error))?,
            ),
        };
        let reserve =
            (!is_in_memory).then(|| Reserve::new(&path, options.reserve_bytes, options.file_mode));
        Ok(Self {
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
            damage: None,
            log,
        })
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
        let _ = self.copy_log();
        true
    }

    /// Copies the log into the file; gives its length and how far that came, in frames.
    pub(crate) fn copy_log(&mut self) -> Result<(i64, i64), Failure> {
        match &mut self.log {
            Some(log) => log.copy(&self.connection),
            None => Ok((0, 0)),
        }
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
        if let Some(log) = &mut self.log {
            log.admit(&self.connection)?;
        }
        let result = self.try_transaction(sync, work).map_err(|error| {
            self.roll_back();
            let lost_pages = may_have_lost_pages(&error);
            let failure = Failure::of_sqlite(&self.path, doing, error);
            if lost_pages && let Some(log) = &mut self.log {
                log.distrust(&failure);
            }
            self.note(failure)
        });
        if result.is_ok()
            && let Some(log) = &mut self.log
        {
            log.committed(
                &self.connection,
                sync == Sync::WithCommit && self.syncs_stores,
            );
        }
        result
    }

    fn try_transaction<T>(
        &mut self,
        sync: Sync,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.use_sync(sync)?;
        transaction::begin_write(&self.connection, self.busy_timeout)?;
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
}
