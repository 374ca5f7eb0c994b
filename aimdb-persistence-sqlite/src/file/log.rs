//! The write-ahead log beside the file: synced when the durability asks for it, copied into the file, kept from growing,
//! and never trusted after a sync of it has failed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::Connection;

use crate::error::{During, Failure};
use crate::file::frames::{self, Extent};
use crate::file::paths;
use crate::file::rewriting::write_again;
use crate::file::settings::LOG_LIMIT_BYTES;
use crate::health::Health;
use crate::options::Durability;
use crate::report;

/// The log is copied into the file when it has so many frames.
const COPIED_FROM: u32 = 1_000;
/// After copying has failed it is tried again when so many more have come.
const FRAMES_TO_RETRY: u32 = 250;

/// How much more the log may grow before cutting it back is tried again.
const RETRY_BYTES: u64 = 4 << 20;

/// While copying it fails, the log may grow up to here; then nothing more is stored.
const MOST_BYTES_UNCOPIED: u64 = 4 * LOG_LIMIT_BYTES;

/// A log that is not trusted is written again so often, should nobody ask for it sooner.
const MEND_EVERY: Duration = Duration::from_secs(1);

/// Under `synchronous = NORMAL` SQLite syncs the log before it copies it into the file, and the file before it starts the
/// log over. So every commit so far is durable once the log is synced as it is now.
///
/// That ends with a sync that fails. Linux reports it once, and takes the pages that it could not write for written. So a
/// second sync succeeds and proves nothing: a commit behind the hole is lost with a power cut though it was synced, and
/// copying the log would put pages into the file whose only other copy is not on the disk. From then on nothing is
/// committed, copied or answered until everything since the last sync that succeeded has been written again and synced.
/// SQLite itself would say nothing of a failure when it copies the log on its own. So this copies it.
pub(crate) struct Log {
    database: PathBuf,
    path: PathBuf,
    /// Opened beside SQLite's own handle. Unlike the database's, its locks are not at stake when it
    /// is closed.
    file: Option<File>,
    busy_timeout: Duration,
    sync_within: Option<Duration>,
    unsynced_since: Option<Instant>,
    /// How many frames the log had after the last commit of this connection.
    frames: Arc<AtomicU32>,
    committed: Option<Extent>,
    /// What is on the disk for certain, or in the file.
    synced: Option<Extent>,
    /// Why the log is not trusted.
    doubt: Option<Failure>,
    mend_at: Instant,
    copy_from: u32,
    copying_failed: Option<Failure>,
    cut_at_bytes: u64,
    most_bytes_uncopied: u64,
    health: Health,
}

impl Log {
    pub(crate) fn of(
        connection: &mut Connection,
        database: &Path,
        durability: Durability,
        busy_timeout: Duration,
        health: &Health,
    ) -> rusqlite::Result<Self> {
        let frames = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&frames);
        // It takes the place of SQLite's own, which copies the log and swallows failures.
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            count.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let mut log = Self {
            database: database.to_owned(),
            path: paths::log_of(database),
            file: None,
            busy_timeout,
            sync_within: match durability {
                Durability::Grouped { every } => Some(every),
                Durability::Full | Durability::Relaxed => None,
            },
            unsynced_since: None,
            frames,
            committed: None,
            synced: None,
            doubt: None,
            mend_at: Instant::now(),
            copy_from: COPIED_FROM,
            copying_failed: None,
            cut_at_bytes: LOG_LIMIT_BYTES,
            most_bytes_uncopied: MOST_BYTES_UNCOPIED,
            health: health.clone(),
        };
        // Now: once the file has been moved, another one's log may lie at this path. If it fails, it is tried again.
        let _ = log.open();
        Ok(log)
    }

    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    /// To be called before each write transaction.
    ///
    /// # Errors
    /// If nothing may be written: the log is not trusted and cannot be mended, or cannot be copied and is long.
    pub(crate) fn admit(&mut self, connection: &Connection) -> Result<(), Failure> {
        self.mend(connection)?;
        match &self.copying_failed {
            Some(failure) if self.bytes() > self.most_bytes_uncopied => {
                let failure = failure.clone();
                self.copy_from = 0;
                self.copy_if_long(connection);
                self.copying_failed.is_none().then_some(()).ok_or(failure)
            }
            _ => Ok(()),
        }
    }

    /// To be called after each commit; `is_synced` says whether SQLite has synced it.
    pub(crate) fn committed(&mut self, connection: &Connection, is_synced: bool) {
        self.committed = self.extent();
        if is_synced {
            self.synced = self.committed;
        } else if self.sync_within.is_some() {
            self.unsynced_since.get_or_insert_with(Instant::now);
        }
        self.copy_if_long(connection);
        self.cut_back_if_long(connection);
    }

    fn extent(&mut self) -> Option<Extent> {
        let frames = self.frames.load(Ordering::Relaxed);
        // Where it cannot be looked at, all of it counts as unsynced.
        let salts = frames::salts(self.open().ok()?).ok()??;
        Some(Extent { salts, frames })
    }

    fn open(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            self.file = Some(File::options().read(true).write(true).open(&self.path)?);
        }
        self.file
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |log| log.len())
    }

    /// What was written may not come to the disk.
    pub(crate) fn distrust(&mut self, failure: &Failure) {
        self.doubt.get_or_insert_with(|| failure.clone());
    }

    /// Copies the log into the file, as far as readers let it; gives its length and how far it came, in frames.
    pub(crate) fn copy(&mut self, connection: &Connection) -> Result<(i64, i64), Failure> {
        self.mend(connection)?;
        let doing = "copying the write-ahead log into it";
        let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |r| {
            Ok((r.get(1)?, r.get(2)?))
        });
        match copied.during(&self.database, doing) {
            Ok((frames, copied)) => {
                self.copying_failed = None;
                if frames == copied && frames > 0 {
                    self.synced = self.committed;
                }
                Ok((frames, copied))
            }
            Err(failure) => {
                // Whether it was the log or the file that could not be synced is not told.
                if failure.kind() == StorageErrorKind::Io {
                    self.distrust(&failure);
                }
                self.note_copying(&failure);
                Err(failure)
            }
        }
    }

    fn note_copying(&mut self, failure: &Failure) {
        if failure.kind() == StorageErrorKind::Busy {
            return; // a reader
        }
        self.health.note_upkeep_failure(failure);
        if self.copying_failed.replace(failure.clone()).is_none() {
            report::warn(&format!(
                "{failure}; the log grows until that succeeds, up to {} MiB",
                MOST_BYTES_UNCOPIED >> 20
            ));
        }
    }

    fn copy_if_long(&mut self, connection: &Connection) {
        let frames = self.frames.load(Ordering::Relaxed);
        if frames < self.copy_from {
            self.copy_from = self
                .copy_from
                .min(COPIED_FROM.max(frames + FRAMES_TO_RETRY));
            return;
        }
        self.copy_from = match self.copy(connection) {
            Ok(_) => COPIED_FROM,
            Err(_) => frames + FRAMES_TO_RETRY, // which has been told
        };
    }

    /// SQLite starts the log over only when no reader is in it. With readers that take turns that
    /// may never happen by itself; this waits, briefly, for the pages being read to end.
    fn cut_back_if_long(&mut self, connection: &Connection) {
        let bytes = self.bytes();
        if bytes <= LOG_LIMIT_BYTES {
            self.cut_at_bytes = LOG_LIMIT_BYTES;
        } else if bytes >= self.cut_at_bytes {
            // First whatever can be copied without waiting, with what that has to say of failures.
            let copied = self.copy(connection).is_ok();
            let cut = copied.then(|| {
                let cut = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| {
                    r.get::<_, i64>(0)
                });
                cut.during(&self.database, "starting its log over")
            });
            self.cut_at_bytes = match cut {
                Some(Ok(0)) => LOG_LIMIT_BYTES,
                // A reader was still in it (1), or the disk refused: later, then.
                _ => bytes + RETRY_BYTES,
            };
            if let Some(Err(failure)) = cut {
                self.distrust(&failure);
            }
        }
    }

    /// When the log has to be synced, if anything in it is unsynced.
    pub(crate) fn sync_due(&self) -> Option<Instant> {
        let mend_due = self.doubt.as_ref().map(|_| self.mend_at);
        // A time beyond what the clock can hold is never due.
        let sync_due = || self.unsynced_since?.checked_add(self.sync_within?);
        mend_due.or_else(sync_due)
    }

    /// Syncs if that is due. A failure is reported and the sync tried again in due time.
    pub(crate) fn sync_if_due(&mut self, connection: &Connection) {
        if self.sync_due().is_some_and(|due| due <= Instant::now())
            && let Err(failure) = self.sync(connection)
        {
            self.unsynced_since = Some(Instant::now());
            report::warn(&format!(
                "{failure}; the last commits are not on the disk yet"
            ));
        }
    }

    /// Makes every commit so far durable, where the durability is one that syncs.
    pub(crate) fn sync(&mut self, connection: &Connection) -> Result<(), Failure> {
        if self.doubt.is_none() && self.unsynced_since.is_some() {
            let committed = self.committed;
            let synced = self.open().and_then(File::sync_data);
            match synced.during(&self.path, "syncing the write-ahead log") {
                Ok(()) => {
                    self.synced = committed;
                    self.unsynced_since = None;
                }
                Err(failure) => self.distrust(&failure),
            }
        }
        self.mend(connection)
    }

    /// Writes everything again that may not be on the disk, if a sync has failed.
    fn mend(&mut self, connection: &Connection) -> Result<(), Failure> {
        if self.doubt.is_none() {
            return Ok(());
        }
        self.mend_at = Instant::now() + MEND_EVERY;
        let (synced, committed) = (self.synced, self.committed);
        let (database, patience) = (self.database.clone(), self.busy_timeout);
        let doing = "opening its log to write it again";
        let log = self.open().during(&database, doing)?;
        let mended = write_again(log, connection, &database, synced, committed, patience)?;
        self.synced = mended;
        self.unsynced_since = None;
        self.doubt = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(durability: Durability) -> (tempfile::TempDir, Connection, Log) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let mut connection = Connection::open(&path).unwrap();
        let set_up = "PRAGMA journal_mode = WAL; CREATE TABLE t (x)";
        connection.execute_batch(set_up).unwrap();
        let health = Health::default();
        let log = Log::of(&mut connection, &path, durability, Duration::ZERO, &health).unwrap();
        (folder, connection, log)
    }

    #[test]
    fn only_grouped_durability_has_syncs_due_and_only_while_commits_are_unsynced() {
        let every = Duration::from_secs(3_600);
        let (_folder, connection, mut grouped) = log(Durability::Grouped { every });
        assert_eq!(grouped.sync_due(), None, "an idle file needs no sync");
        connection.execute("INSERT INTO t VALUES (1)", []).unwrap();
        grouped.committed(&connection, false);
        let due = grouped.sync_due().expect("a commit is unsynced");
        grouped.committed(&connection, false);
        assert_eq!(grouped.sync_due(), Some(due), "the oldest commit decides");
        grouped.sync_if_due(&connection);
        assert_eq!(grouped.sync_due(), Some(due), "not before its time");
        grouped.sync(&connection).expect("the log is there");
        assert_eq!(grouped.sync_due(), None);

        for durability in [Durability::Full, Durability::Relaxed] {
            let (_folder, connection, mut log) = log(durability);
            log.committed(&connection, durability == Durability::Full);
            assert_eq!(log.sync_due(), None);
        }
    }

    #[test]
    fn frames_that_cannot_be_read_back_are_never_taken_for_synced() {
        let (folder, connection, mut log) = log(Durability::Full);
        for n in 0..10 {
            connection
                .execute("INSERT INTO t VALUES (?1)", [n])
                .unwrap();
            log.committed(&connection, n < 5);
        }
        log.doubt = Some(Failure::new(
            StorageErrorKind::Io,
            folder.path(),
            "a sync failed",
        ));
        let wal = folder.path().join("history.db-wal");
        let before = fs::read(&wal).unwrap();
        // The system has dropped a page, and reads what was there before.
        let mut bytes = before.clone();
        let last = bytes.len() - 4_096;
        bytes[last..].fill(0);
        fs::write(&wal, bytes).unwrap();
        for _ in 0..2 {
            let failure = log.sync(&connection).unwrap_err();
            let kind = failure.kind();
            assert_eq!(kind, StorageErrorKind::Corrupt, "{failure}");
        }
        fs::write(&wal, before).unwrap();
        log.sync(&connection).unwrap();
        assert_eq!(log.synced, log.committed);
    }

    #[test]
    fn a_log_that_cannot_be_copied_grows_up_to_a_bound_and_no_further_and_health_says_so() {
        let (folder, connection, mut log) = log(Durability::Full);
        let path = folder.path().join("history.db");
        // It may not write into the file.
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let refused = Connection::open_with_flags(&path, flags).unwrap();
        log.most_bytes_uncopied = 1 << 20;
        let fill = "INSERT INTO t VALUES (zeroblob(100000))";
        let mut stored = 0;
        while log.admit(&refused).is_ok() {
            connection.execute(fill, []).unwrap();
            log.copy_from = 0;
            log.committed(&refused, true);
            stored += 1;
            assert!(stored < 20, "nothing bounds the log");
        }
        assert!(stored > 5, "{stored}");
        let health = log.health.report();
        assert!(health.upkeep_failures > 0 && health.upkeep_failure.is_some());
        log.admit(&connection).expect("it can be copied now");
    }
}
