//! How a backend is opened, option by option.

use std::path::PathBuf;
use std::time::Duration;

use crate::location::Location;

/// What a power cut or an operating-system crash may cost. A crash of the process alone costs
/// nothing that was answered, under any of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A commit is synced to the disk before it is answered: nothing that was answered is lost.
    #[default]
    Full,
    /// A commit is answered at once and synced at the latest `every` after it: at most that much is
    /// lost. A flush syncs at once.
    Grouped {
        /// The longest time for which an answered commit may stay unsynced.
        every: Duration,
    },
    /// Commits are synced when SQLite moves them from its log into the file, every few megabytes; a
    /// flush does not sync. What was answered since then may be lost; the file itself stays sound.
    Relaxed,
}

/// What becomes of a file that turns out to be damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnCorruption {
    /// It is left as it is. Opening it fails with
    /// [`StorageErrorKind::Corrupt`](aimdb_persistence::StorageErrorKind::Corrupt). Where the damage is found later, by
    /// something that writes, nothing more is written: rows count as failed until the program is started anew on
    /// another file.
    #[default]
    Refuse,
    /// It is renamed, with its log, to `history.db.corrupt-<time in UTC>`, and recording goes on in a new file, wherever the
    /// damage is found: while opening, reading or writing. What was being written goes into the new file. The
    /// statistics say so ([`BackendHealth::fresh_starts`](aimdb_persistence::BackendHealth::fresh_starts)), and so does
    /// an event. After eight times in one run the storage itself is at fault, and it ends as with `Refuse`.
    Quarantine,
}

/// Rows that small commits may leave in the tail before they are merged: each reader keeps sixteen
/// bytes of each in memory, and a merge writes the fewer pages the more rows of a series it moves.
const TAIL_ROWS: usize = 32_768;

/// Two megabytes for each reader: the newest pages of 500 series.
const CACHE_BYTES: usize = 8 << 20;

/// As much as SQLite lets the log hold before it copies it into the file, which may have to grow by it all.
const RESERVE_BYTES: u64 = 4 << 20;

/// Opens a [`SqliteBackend`](crate::SqliteBackend) with other than the usual options.
///
/// ```
/// use std::time::Duration;
/// use aimdb_persistence_sqlite::{Durability, SqliteBackend};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("history.db");
/// let backend = SqliteBackend::builder(path)
///     .durability(Durability::Grouped { every: Duration::from_secs(1) })
///     .readers(4)
///     .open()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is opened before `.open()`"]
pub struct SqliteBackendBuilder {
    pub(crate) location: Location,
    pub(crate) durability: Durability,
    pub(crate) read_only: bool,
    pub(crate) only_writer: bool,
    pub(crate) file_mode: u32,
    pub(crate) readers: usize,
    pub(crate) busy_timeout: Duration,
    pub(crate) cache_bytes: usize,
    pub(crate) tail_rows: usize,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) reserve_bytes: u64,
    pub(crate) on_corruption: OnCorruption,
    pub(crate) check_on_open: bool,
}

impl SqliteBackendBuilder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            location: Location::of(path),
            durability: Durability::Full,
            read_only: false,
            only_writer: false,
            file_mode: 0o600,
            readers: 2,
            busy_timeout: Duration::from_secs(5),
            cache_bytes: CACHE_BYTES,
            tail_rows: TAIL_ROWS,
            max_bytes: None,
            reserve_bytes: RESERVE_BYTES,
            on_corruption: OnCorruption::Refuse,
            check_on_open: false,
        }
    }

    /// What a power cut may cost. The default is [`Durability::Full`]: nothing.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Queries only: whatever would write answers with
    /// [`StorageErrorKind::ReadOnly`](aimdb_persistence::StorageErrorKind::ReadOnly). The file must
    /// exist.
    ///
    /// Where not even the folder may be written and no log lies beside the file, it is read as one
    /// that nobody changes meanwhile.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Promises that nothing else writes into the file: no second backend, no other program. Readers
    /// are welcome.
    ///
    /// Nothing changes by it, but one thing: SQLite before 3.51.3 (other than 3.44.6 and 3.50.7) can
    /// damage a file that two connections write into, and is refused without this promise. Only
    /// programs built without the feature `bundled` can meet it; they need 3.44 at least.
    pub fn only_writer(mut self) -> Self {
        self.only_writer = true;
        self
    }

    /// The Unix permissions of a file that is created, whatever the umask; an existing file keeps
    /// its own. The default is `0o600`: private to its owner. Without effect on other systems.
    pub fn file_mode(mut self, mode: u32) -> Self {
        self.file_mode = mode;
        self
    }

    /// How many queries may run at the same time, each on a thread and a connection of its own: at
    /// least one; two by default. An in-memory database has one connection, and this has no effect.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How long a write waits for another process that is writing into the same file, before it is
    /// answered with [`StorageErrorKind::Busy`](aimdb_persistence::StorageErrorKind::Busy). Five
    /// seconds by default.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// What becomes of a damaged file. The default is [`OnCorruption::Refuse`].
    pub fn on_corruption(mut self, on_corruption: OnCorruption) -> Self {
        self.on_corruption = on_corruption;
        self
    }

    /// Checks the structure of the whole file before it is used (SQLite's `quick_check`). It reads every page:
    /// seconds for each gigabyte on a fast disk, a minute on an SD card. Without this, opening finds
    /// the damage in the few pages that it reads, and the rest is found when it is met.
    pub fn check_on_open(mut self) -> Self {
        self.check_on_open = true;
        self
    }

    /// How much memory all connections together take for pages of the file: half of it is for the one
    /// that writes, the rest is shared out among the readers. 8 MiB by default, taken as they are
    /// needed. A reader wants one page, 4 KiB, for each series that is asked for together; writing hardly gains
    /// from more than 1 MiB. An in-memory database is all in memory, and this has no effect.
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// What each reader keeps of it.
    pub(crate) fn reader_cache_bytes(&self) -> usize {
        let readers = match self.read_only {
            true => self.cache_bytes,
            false => self.cache_bytes - self.writer_cache_bytes(),
        };
        readers / self.readers
    }

    /// What the connection that writes keeps of it.
    pub(crate) fn writer_cache_bytes(&self) -> usize {
        self.cache_bytes / 2
    }

    /// How large the file may become; without end by default. When it is nearly so large, the oldest rows of all series
    /// go, whatever their retention, in small steps between commits; while it is full, stores wait for it. How many
    /// have gone is in [`BackendHealth::evicted`](aimdb_persistence::BackendHealth::evicted), and the first time is
    /// an event.
    ///
    /// Rows that a series is to keep however old they are (`keep_last`) are not touched: where there is nothing else to
    /// remove, the file grows on. The oldest are found series by series, so that of rows hardly apart in time,
    /// and of those stored only just now, some may go or stay out of turn. A commit may exceed the limit by its own size,
    /// and the log beside the file takes some megabytes more. Rows that others write into the file are counted as well.
    ///
    /// At least 1 MiB.
    ///
    /// ```
    /// # use aimdb_persistence_sqlite::SqliteBackend;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("history.db");
    /// let backend = SqliteBackend::builder(path).max_bytes(500 << 20).open()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// How much room is kept for the day on which the disk is full: removing rows takes some before it gives some back.
    /// While the history is open, a file `history.db-reserve` of this size lies beside it, 4 MiB by default; 0 keeps
    /// none, and then a sweep on a full disk fails.
    pub fn reserve_bytes(mut self, bytes: u64) -> Self {
        self.reserve_bytes = bytes;
        self
    }

    /// The rows of the tail lie in the file twice while they are merged: a small file has a small one.
    pub(crate) fn tail_rows_within_limit(&self) -> usize {
        let within = self.max_bytes.map_or(u64::MAX, |bytes| bytes / 2_048);
        self.tail_rows
            .min(usize::try_from(within).unwrap_or(usize::MAX))
    }

    /// How many rows of small commits may lie apart before they are moved among the others in bulk:
    /// 32,768 by default; of thousands of series eight of each, up to four times this number. Each connection keeps sixteen bytes of each in memory. The more there are, the
    /// fewer pages a move writes, which spares flash memory.
    pub fn tail_rows(mut self, rows: usize) -> Self {
        self.tail_rows = rows;
        self
    }
}
