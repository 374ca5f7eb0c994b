//! The connection that writes: its transactions, and what it knows of the file between them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use aimdb_persistence_backend::{OnDuplicate, StorageErrorKind};

use crate::chunks::rows::LastChunk;
use crate::error::{During, Failure};
use crate::file::log::Log;
use crate::file::open;
use crate::file::opened::Opened;
use crate::file::reserve::Reserve;
use crate::file::rewriting::may_have_lost_pages;
use crate::health::Health;
use crate::layout::merge::Merge;
use crate::layout::sql;
use crate::layout::state::State;
use crate::layout::transaction;
use crate::location::Location;
use crate::options::{Durability, SqliteBackendBuilder};

/// What the connection knows of a series.
#[derive(Clone, Copy)]
pub(crate) struct Series {
    pub(crate) id: i64,
    pub(crate) on_duplicate: OnDuplicate,
}

pub(crate) struct WriteConnection {
    pub(crate) connection: Opened,
    location: Location,
    pub(crate) merge: Merge,
    tail_rows: usize,
    /// `None` for an in-memory database.
    pub(crate) log: Option<Log>,
    /// `None` for an in-memory database.
    reserve: Option<Reserve>,
    busy_timeout: Duration,
    syncs_stores: bool,
    /// What SQLite has been told to do at a commit.
    sync: Option<Sync>,
    /// Series seen so far, by record name. This holds as long as no other connection has written.
    pub(crate) series: HashMap<Box<str>, Series>,
    /// Reserved and not yet used. They are larger than every number in the file, as long as no other connection has
    /// written.
    pub(crate) sequences: Range<i64>,
    /// Of packed rows that were looked at for duplicates.
    pub(crate) last_chunk: RefCell<LastChunk>,
    /// Whether rows are to be packed, of some series at least.
    pub(crate) packs: bool,
    /// SQLite's count of what other connections have committed.
    data_version: i64,
    /// The highest one that was ever seen in the file.
    last_sequence: i64,
    /// The highest one of earlier runs.
    sequence_at_opening: i64,
    commits: u64,
    /// What SQLite takes for damage. Nothing is written until that has been looked into.
    suspicion: Option<Failure>,
    /// What is wrong with the file, once that is known. Nothing more is then written into it.
    damage: Option<Failure>,
}

/// Whether a transaction is on the disk when it has been committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// As the durability says.
    WithCommit,
    /// With a later commit, or when SQLite copies the log into the file.
    ///
    /// For what moves or removes rows. SQLite recovers the log up to some commit, and each sync is one of the log as a
    /// whole. So a power cut undoes such a transaction as a whole, together with what was committed after it, and
    /// nothing that was synced.
    Later,
}

impl WriteConnection {
    pub(crate) fn new(
        mut connection: Opened,
        options: &SqliteBackendBuilder,
        health: &Health,
    ) -> Result<Self, Failure> {
        connection.set_prepared_statement_cache_capacity(32);
        let file = options.location.file();
        let log = file.map(|path| {
            let log = Log::of(
                &mut connection,
                path,
                options.durability,
                options.busy_timeout,
                health,
            );
            log.during(path, "watching its log")
        });
        let state = State::read(&connection).during(options.location.path(), "reading it")?;
        let reserve = file.map(|path| Reserve::new(path, options.reserve_bytes));
        Ok(Self {
            connection,
            log: log.transpose()?,
            location: options.location.clone(),
            reserve,
            merge: Merge::new(options.tail_rows_within_limit()),
            tail_rows: options.tail_rows_within_limit(),
            busy_timeout: options.busy_timeout,
            syncs_stores: options.durability == Durability::Full,
            sync: None,
            series: HashMap::new(),
            sequences: 0..0,
            last_chunk: RefCell::default(),
            packs: options.pack_after.is_some() || options.chunk_rows.is_some(),
            data_version: 0,
            last_sequence: 0,
            sequence_at_opening: state.last_sequence(),
            commits: 0,
            suspicion: None,
            damage: None,
        })
    }

    /// For failures to name.
    pub(crate) fn path(&self) -> &Path {
        self.location.path()
    }

    /// Takes note if the failure may be damage to the file.
    pub(crate) fn note(&mut self, failure: Failure) -> Failure {
        if failure.kind() == StorageErrorKind::Corrupt && self.damage.is_none() {
            self.suspicion.get_or_insert_with(|| failure.clone());
        }
        failure
    }

    /// Gives what is to be looked into.
    pub(crate) fn take_suspicion(&mut self) -> Option<Failure> {
        self.suspicion.take()
    }

    /// The file is damaged.
    pub(crate) fn give_up(&mut self, damage: Failure) {
        self.damage = Some(damage);
        // If this fails, closing the file folds the log in, as usual.
        let _ = open::leave_log_when_closed(&self.connection, true);
    }

    /// The file is sound: what was read of it is read again.
    pub(crate) fn read_anew(&mut self) {
        self.forget();
        self.merge = Merge::new(self.tail_rows);
        // If this fails, what was read wrongly is met again, and looked into again.
        let _ = self.connection.execute_batch("PRAGMA shrink_memory");
    }

    pub(crate) fn damage(&self) -> Option<&Failure> {
        self.damage.as_ref()
    }

    /// Says whether a removal may be tried again that found the disk full.
    pub(crate) fn make_room(&mut self, failure: &Failure) -> bool {
        if failure.kind() != StorageErrorKind::DiskFull
            || !self.reserve.as_mut().is_some_and(Reserve::give_up)
        {
            return false;
        }
        // What has been copied into the file is room in the log. If this fails, the next attempt fails, too.
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

    /// A removal is done: room is kept for the next one.
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
        if let Some(damage) = self.damage.as_ref().or(self.suspicion.as_ref()) {
            return Err(damage.clone());
        }
        if let Some(log) = &mut self.log {
            log.admit(&self.connection)?;
        }
        let result = self.try_transaction(sync, work);
        let lost_pages = result.as_ref().is_err_and(may_have_lost_pages);
        if result.is_err() {
            self.roll_back();
        }
        let result = result.during(self.path(), doing);
        if let Some(log) = &mut self.log {
            let is_synced = sync == Sync::WithCommit && self.syncs_stores;
            match &result {
                Ok(_) => log.committed(&self.connection, is_synced),
                Err(failure) if lost_pages => log.distrust(failure),
                Err(_) => {}
            }
        }
        result.map_err(|failure| self.note(failure))
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
            self.notice_restoring()?;
            self.data_version = data_version;
        }
        let result = work(self)?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.commits += 1;
        self.last_sequence = self.last_sequence.max(self.sequences.start - 1);
        Ok(result)
    }

    /// How many transactions this connection has committed.
    pub(crate) fn commits(&self) -> u64 {
        self.commits
    }

    /// Rows of earlier runs have this sequence at most, and those of this run a higher one.
    pub(crate) fn sequence_at_opening(&self) -> i64 {
        self.sequence_at_opening
    }

    /// SQLite's `.restore` writes another database into the file. Where sequences have gone back, nothing that was learnt
    /// holds any more, of any connection.
    fn notice_restoring(&mut self) -> rusqlite::Result<()> {
        let last_sequence = State::read(&self.connection)?.last_sequence();
        if last_sequence < self.last_sequence {
            self.merge = Merge::new(self.tail_rows);
            let mut raise = self
                .connection
                .prepare_cached(sql::RENEW_SERIES_GENERATION)?;
            raise.execute([])?;
        }
        self.last_sequence = last_sequence;
        Ok(())
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

    /// Forgets what was learnt or reserved within the transaction.
    fn roll_back(&mut self) {
        self.forget();
        if !self.connection.is_autocommit() {
            // If even this fails, the next BEGIN fails, and its callers are told.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    pub(crate) fn forget(&mut self) {
        *self.last_chunk.borrow_mut() = LastChunk::default();
        self.series.clear();
        self.sequences = 0..0;
    }

    pub(crate) fn close(self) -> Result<(), Failure> {
        let closed = self.connection.close();
        closed.during(self.location.path(), "closing it")
    }
}
