//! How a backend is opened, option by option.

use std::path::PathBuf;
use std::time::Duration;

use crate::location::Location;

/// What a power cut or a crash of the operating system may cost. A crash of the process alone costs nothing that was
/// answered, whatever the durability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A commit is synced to the disk before it is answered: nothing that was answered is lost.
    #[default]
    Full,
    /// A commit is answered at once, and synced after the time `every` at the latest. At most so much is lost. A flush syncs
    /// at once.
    Grouped {
        /// The longest time for which an answered commit may be unsynced.
        every: Duration,
    },
    /// Commits are synced when SQLite moves them from its log into the file, every few megabytes. A flush does not sync.
    /// What was answered since the last sync may be lost. The file itself stays sound.
    Relaxed,
}

/// What happens to a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnCorruption {
    /// It is left as it is. Opening it fails with
    /// [`StorageErrorKind::Corrupt`](aimdb_persistence_backend::StorageErrorKind::Corrupt). If a write finds the damage later, nothing
    /// more is written. Rows then count as failed until the program is started again on another file.
    #[default]
    Refuse,
    /// It is renamed, with its log, to `history.db.corrupt-<time in UTC>`, and recording goes on in a new file. This happens
    /// when damage is found while opening, reading or writing. What was being written goes into the new file. The statistics
    /// count it ([`BackendHealth::fresh_starts`](aimdb_persistence_backend::BackendHealth::fresh_starts)), and an event reports it.
    /// After eight times in one run the storage itself is at fault, and a damaged file is treated as with `Refuse`.
    Quarantine,
}

/// Rows that small commits may leave in the tail before they are merged. Each reader keeps sixteen bytes of each in
/// memory. The more rows of a series a merge moves, the fewer pages it writes.
const TAIL_ROWS: usize = 32_768;

/// Two megabytes for each reader: the newest pages of 500 series.
const CACHE_BYTES: usize = 8 << 20;

/// SQLite lets the log hold so much before it copies it into the file, which may grow by all of it.
const RESERVE_BYTES: u64 = 4 << 20;

/// Opens a [`SqliteBackend`](crate::SqliteBackend) with options.
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
    pub(crate) pack_after: Option<Duration>,
    /// Every chunk has so many rows, and is made at once.
    pub(crate) chunk_rows: Option<usize>,
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
            pack_after: None,
            chunk_rows: None,
        }
    }

    /// What a power cut may cost. The default is [`Durability::Full`]: nothing is lost.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Queries only. Calls that write fail with
    /// [`StorageErrorKind::ReadOnly`](aimdb_persistence_backend::StorageErrorKind::ReadOnly). The file must exist.
    ///
    /// Neither the file nor its log is changed, and nothing is left beside them. Where nothing may be written, the file is read
    /// as it is found; a query during which a recorder begins fails with
    /// [`StorageErrorKind::Busy`](aimdb_persistence_backend::StorageErrorKind::Busy), and the next one follows the recorder.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Promises that nothing else writes into the file: no second backend, no other program. Others may read it.
    ///
    /// SQLite before 3.51.3 (other than 3.44.6 and 3.50.7) can damage a file that two connections write into. Without this
    /// promise it is refused. This concerns only programs built without the feature `bundled`; they need 3.44 at least.
    pub fn only_writer(mut self) -> Self {
        self.only_writer = true;
        self
    }

    /// The Unix permissions of a file that is created, whatever the umask. An existing file keeps its own. The default is
    /// `0o600`: private to its owner. On other systems this has no effect.
    pub fn file_mode(mut self, mode: u32) -> Self {
        self.file_mode = mode;
        self
    }

    /// How many queries may run at the same time, each on a thread and a connection of its own. At least one, two by default.
    /// This has no effect on a database in memory, which has one connection.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How long a write waits for another process that is writing into the same file. Then it fails with
    /// [`StorageErrorKind::Busy`](aimdb_persistence_backend::StorageErrorKind::Busy). Five seconds by default.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// What happens to a damaged file. The default is [`OnCorruption::Refuse`].
    pub fn on_corruption(mut self, on_corruption: OnCorruption) -> Self {
        self.on_corruption = on_corruption;
        self
    }

    /// Checks the whole file before it is used: SQLite's `integrity_check`, the checksum of every row, and every long value.
    /// This reads every page and row: some seconds for each gigabyte on a fast disk, minutes on an SD card. Without it, opening finds damage only in the few pages that it
    /// reads. Other damage is found when its page is read.
    pub fn check_on_open(mut self) -> Self {
        self.check_on_open = true;
        self
    }

    /// Rows that are older are packed: moved into chunks of columns in the same file, where a reading takes a few bytes in
    /// place of some sixty. Queries find them as before. Off by default.
    ///
    /// This happens in small steps between commits, for series that gain by it. A type may say something else for its series:
    /// `#[persist(pack = "1d")]`, or `pack = "never"`. Rows that come late lie beside their chunk until there are enough of
    /// them.
    ///
    /// Other programs that read the file by plain SQL find only what is not packed:
    /// [`unpack`](crate::SqliteBackend::unpack) undoes it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aimdb_persistence_sqlite::SqliteBackend;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("history.db");
    /// let week = Duration::from_secs(7 * 86_400);
    /// let backend = SqliteBackend::builder(path).pack_after(week).open()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pack_after(mut self, age: Duration) -> Self {
        self.pack_after = Some(age);
        self
    }

    /// For tests: everything is packed at once, into chunks of so many rows.
    #[doc(hidden)]
    pub fn chunks_of(mut self, rows: usize) -> Self {
        self.chunk_rows = Some(rows.max(1));
        self
    }

    /// How much memory all connections together may use for pages of the file: 8 MiB by default, taken when it is needed.
    /// The connection that writes gets half of it, the readers share the rest. A query of many series is fast if its reader
    /// has room for one page of each, 4 KiB. Writing becomes little faster with more than 1 MiB. This has no effect on a
    /// database in memory.
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// The part of one reader.
    pub(crate) fn reader_cache_bytes(&self) -> usize {
        let readers = match self.read_only {
            true => self.cache_bytes,
            false => self.cache_bytes - self.writer_cache_bytes(),
        };
        readers / self.readers
    }

    /// The part of the connection that writes.
    pub(crate) fn writer_cache_bytes(&self) -> usize {
        self.cache_bytes / 2
    }

    /// How large the file may become; without limit by default. When it is nearly so large, the oldest rows of all series are
    /// removed, whatever their retention, in small steps between commits. While it is full, stores wait.
    /// [`BackendHealth::evicted`](aimdb_persistence_backend::BackendHealth::evicted) counts the rows, and an event reports the first
    /// ones.
    ///
    /// Rows that a series keeps however old they are (`keep_last`) are not removed. If nothing else is left, the file grows
    /// on. Rows are removed roughly oldest first, in blocks. A commit may exceed the limit by its own size, and the log
    /// beside the file takes some megabytes more. Rows that other programs write into the file are counted as well.
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

    /// How much room is kept for the day on which the disk is full. Removing rows takes some room before it frees some.
    /// While the history is open, a file of this size that has no name takes room on its disk: 4 MiB by default. 0 keeps none;
    /// a sweep on a full disk then fails.
    pub fn reserve_bytes(mut self, bytes: u64) -> Self {
        self.reserve_bytes = bytes;
        self
    }

    /// While the tail is merged, its rows lie in the file twice. So a small file gets a small tail.
    pub(crate) fn tail_rows_within_limit(&self) -> usize {
        let within = self.max_bytes.map_or(u64::MAX, |bytes| bytes / 2_048);
        self.tail_rows
            .min(usize::try_from(within).unwrap_or(usize::MAX))
    }

    /// How many rows of small commits may lie apart before they are moved among the others in bulk: 32,768 by default. Of
    /// thousands of series it is eight rows of each, up to four times this number. Each connection keeps sixteen bytes of
    /// each row in memory. With more rows a move writes fewer pages, which spares flash memory.
    pub fn tail_rows(mut self, rows: usize) -> Self {
        self.tail_rows = rows;
        self
    }
}
