//! The write-ahead log beside the file: synced when the durability asks for it, and cut back when it is long.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::{During, Failure};
use crate::file::paths;
use crate::file::settings::LOG_LIMIT_BYTES;
use crate::options::Durability;
use crate::report;

/// How much more the log may grow before cutting it back is tried again.
const RETRY_BYTES: u64 = 4 << 20;

/// Under `synchronous = NORMAL` SQLite syncs the log before it copies it into the file, and the file before it starts the
/// log over. So every commit so far is durable once the log is synced as it is now.
pub(crate) struct Log {
    path: PathBuf,
    /// Opened beside SQLite's own handle. Unlike the database's, its locks are not at stake when it
    /// is closed.
    file: Option<File>,
    sync_within: Option<Duration>,
    unsynced_since: Option<Instant>,
    cut_at_bytes: u64,
}

impl Log {
    pub(crate) fn new(database: &Path, durability: Durability) -> Self {
        Self {
            path: paths::log_of(database),
            file: None,
            sync_within: match durability {
                Durability::Grouped { every } => Some(every),
                Durability::Full | Durability::Relaxed => None,
            },
            unsynced_since: None,
            cut_at_bytes: LOG_LIMIT_BYTES,
        }
    }

    /// To be called after each commit.
    pub(crate) fn committed(&mut self, connection: &Connection) {
        if self.sync_within.is_some() {
            self.unsynced_since.get_or_insert_with(Instant::now);
        }
        self.cut_back_if_long(connection);
    }

    /// SQLite starts the log over only when no reader is in it. With readers that take turns this may never be so by
    /// itself. So this waits, briefly, until the pages that are being read are done.
    fn cut_back_if_long(&mut self, connection: &Connection) {
        let bytes = fs::metadata(&self.path).map_or(0, |log| log.len());
        if bytes <= LOG_LIMIT_BYTES {
            self.cut_at_bytes = LOG_LIMIT_BYTES;
        } else if bytes >= self.cut_at_bytes {
            let cut = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0));
            match cut {
                Ok(0) => self.cut_at_bytes = LOG_LIMIT_BYTES,
                // A reader was still in it (1), or the disk refused. It is tried again later, and SQLite tries as well.
                Ok(1..) | Ok(i64::MIN..0) | Err(_) => self.cut_at_bytes = bytes + RETRY_BYTES,
            }
        }
    }

    /// When the log has to be synced, if anything in it is unsynced.
    pub(crate) fn sync_due(&self) -> Option<Instant> {
        // A time beyond what the clock can hold is never due.
        self.unsynced_since?.checked_add(self.sync_within?)
    }

    /// Syncs if that is due. A failure is reported and the sync tried again in due time.
    pub(crate) fn sync_if_due(&mut self) {
        if self.sync_due().is_some_and(|due| due <= Instant::now())
            && let Err(failure) = self.sync()
        {
            self.unsynced_since = Some(Instant::now());
            report::warn(&format!(
                "{failure}; the last commits are not on the disk yet"
            ));
        }
    }

    /// Makes every commit so far durable, where the durability is one that syncs.
    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        if self.unsynced_since.is_none() {
            return Ok(());
        }
        let synced = self.sync_file();
        synced.during(&self.path, "syncing the write-ahead log")?;
        self.unsynced_since = None;
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "SQLite holds no locks on the log"
    )]
    fn sync_file(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(File::options().read(true).write(true).open(&self.path)?);
        }
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::params;

    #[test]
    fn only_grouped_durability_has_syncs_due_and_only_while_commits_are_unsynced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let connection = Connection::open(&path).unwrap();
        let set_up = "PRAGMA journal_mode = WAL; CREATE TABLE t (x)";
        connection.execute_batch(set_up).unwrap();

        let every = Duration::from_secs(3_600);
        let mut grouped = Log::new(&path, Durability::Grouped { every });
        assert_eq!(grouped.sync_due(), None, "an idle file needs no sync");
        connection
            .execute("INSERT INTO t VALUES (1)", params![])
            .unwrap();
        grouped.committed(&connection);
        let due = grouped.sync_due().expect("a commit is unsynced");
        grouped.committed(&connection);
        assert_eq!(grouped.sync_due(), Some(due), "the oldest commit decides");
        grouped.sync_if_due();
        assert_eq!(grouped.sync_due(), Some(due), "not before its time");
        grouped.sync().expect("the log is there");
        assert_eq!(grouped.sync_due(), None);

        for durability in [Durability::Full, Durability::Relaxed] {
            let mut log = Log::new(&path, durability);
            log.committed(&connection);
            assert_eq!(log.sync_due(), None);
        }
    }

    #[test]
    fn a_sync_that_fails_is_an_error_and_stays_due() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let connection = Connection::open_in_memory().unwrap();
        let every = Duration::from_secs(3_600);
        let mut log = Log::new(&path, Durability::Grouped { every });
        log.committed(&connection);
        assert!(log.sync().is_err(), "there is no log to sync");
        assert!(log.sync_due().is_some());
    }
}
