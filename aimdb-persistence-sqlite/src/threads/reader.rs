//! A thread that reads: jobs from one queue, each a page, or a chunk of a scan that lets others in between.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::Failure;
use crate::file::identity::FileIdentity;
use crate::file::parting::Beside;
use crate::options::SqliteBackendBuilder;
use crate::read::reading::{ReadJob, Reading};
use crate::threads::loss::Alarm;
use crate::threads::queue::{Queue, Taken, Taker};

/// How a reading connection is opened.
pub(crate) type OpenReader = fn(&Path, &SqliteBackendBuilder) -> Result<Connection, Failure>;

/// Whether the file has been replaced is checked no more often than this: it takes a system call, which would slow down
/// queries that follow one another closely.
const CHECK_FILE_EVERY: Duration = Duration::from_millis(10);

/// A thread's connection, and the file that it reads.
pub(crate) struct Reader {
    connection: Connection,
    file: FileIdentity,
    beside: Beside,
    checks_file_at: Instant,
    /// How often the backend's writer has gone over to another file. A reader follows at once, and finds what is stored
    /// there.
    moves: Arc<AtomicU64>,
    known_moves: u64,
    open: OpenReader,
    options: SqliteBackendBuilder,
    reading: Reading,
    alarm: Option<Arc<Alarm>>,
}

impl Reader {
    pub(crate) fn open(
        open: OpenReader,
        options: &SqliteBackendBuilder,
        reading: Reading,
        alarm: Option<Arc<Alarm>>,
        moves: Arc<AtomicU64>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            connection: open(options.location.path(), options)?,
            file: FileIdentity::of(options.location.path()),
            beside: Beside::of(options.location.path()),
            checks_file_at: Instant::now(),
            known_moves: moves.load(Ordering::Acquire),
            moves,
            open,
            options: options.clone(),
            reading,
            alarm,
        })
    }

    /// Takes jobs until the queue is closed and empty.
    pub(crate) fn run(mut self, jobs: Arc<Queue<ReadJob>>) {
        let jobs = Taker(jobs);
        while let Taken::Item(job) = jobs.0.take_until(None) {
            self.follow();
            if let Some(rest) = self.reading.answer(&self.connection, job) {
                jobs.0.put_back(rest);
            }
            if let Some(damage) = self.reading.take_damage()
                && let Some(alarm) = &self.alarm
            {
                alarm.raise(&self.file, damage);
            }
        }
    }

    /// Goes over to the file that lies at the path by now, if that is another one. While it cannot be opened, the one at
    /// hand still answers.
    fn follow(&mut self) {
        let (now, moves) = (Instant::now(), self.moves.load(Ordering::Acquire));
        if moves == self.known_moves && now < self.checks_file_at {
            return;
        }
        (self.checks_file_at, self.known_moves) = (now + CHECK_FILE_EVERY, moves);
        let path = self.options.location.path();
        if !self.file.is_lost() {
            return;
        }
        if self.beside.has_its_log() {
            // SQLite would take it for the log of the file that lies there now. Whoever records removes it.
            if let Some(alarm) = &self.alarm {
                alarm.wake();
            }
            return;
        }
        if let Ok(connection) = (self.open)(path, &self.options) {
            self.file = FileIdentity::of(path);
            self.beside = Beside::of(path);
            self.connection = connection;
            self.reading.forget();
        }
    }
}
