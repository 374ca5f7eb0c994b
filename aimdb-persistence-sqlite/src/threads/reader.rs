//! The threads that read: jobs from one queue, each a page, or a scan that lets others in between.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aimdb_persistence::{
    Cursor, Page, PersistenceError, ReadRequest, StorageErrorKind, StoredValue,
};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::Failure;
use crate::file::identity::Place;
use crate::layout::tail::Tail;
use crate::options::SqliteBackendBuilder;
use crate::read::catalog::Catalog;
use crate::read::page::{self, SelectedPage};
use crate::read::scan::{Chunk, Scan};
use crate::report;
use crate::threads::loss::Alarm;
use crate::threads::queue::{Queue, Taken, Taker};

/// A page to be read.
pub(crate) struct ReadJob {
    pub(crate) request: ReadRequest,
    pub(crate) answer: ReadAnswer,
}

/// In which form the caller wants it.
pub(crate) enum ReadAnswer {
    Text(oneshot::Sender<Result<Page, PersistenceError>>),
    /// Parsed here rather than on the executor, which must not be kept busy with a long answer.
    Values(oneshot::Sender<Result<Values, PersistenceError>>),
    Scan(Scan),
}

/// A page of parsed rows.
pub(crate) struct Values {
    pub(crate) rows: Vec<StoredValue>,
    pub(crate) next: Option<Cursor>,
    /// Whether the pattern selected any series at all.
    pub(crate) any_series: bool,
}

/// What reading takes beside a connection.
pub(crate) struct Reading {
    path: PathBuf,
    catalog: Catalog,
    tail: Tail,
    /// Met, and not told to the writer yet.
    damage: Option<Failure>,
    /// A damaged row is reported once by each backend, not by each query that meets it.
    damage_is_reported: Arc<AtomicBool>,
}

impl Reading {
    pub(crate) fn new(path: &Path, damage_is_reported: Arc<AtomicBool>) -> Self {
        Self {
            path: path.to_owned(),
            catalog: Catalog::default(),
            tail: Tail::default(),
            damage: None,
            damage_is_reported,
        }
    }

    /// What was learnt of the file does not hold for another one.
    fn forget(&mut self) {
        (self.catalog, self.tail) = (Catalog::default(), Tail::default());
    }

    /// Reads the page and answers, unless the caller has gone. Gives back what is left of a scan.
    pub(crate) fn answer(&mut self, connection: &Connection, job: ReadJob) -> Option<ReadJob> {
        // A send fails when the caller has lost interest meanwhile, which is nobody's problem.
        match job.answer {
            ReadAnswer::Text(answer) if !answer.is_closed() => {
                let page = self.read(connection, &job.request);
                let _ = answer.send(page.map(|selected| selected.page));
            }
            ReadAnswer::Values(answer) if !answer.is_closed() => {
                let page = self.read(connection, &job.request);
                let _ = answer.send(page.map(|selected| self.parse(selected)));
            }
            ReadAnswer::Scan(scan) if !scan.answer.is_closed() => {
                return self.advance(connection, job.request, scan);
            }
            ReadAnswer::Text(_) | ReadAnswer::Values(_) | ReadAnswer::Scan(_) => {}
        }
        None
    }

    fn advance(
        &mut self,
        connection: &Connection,
        mut request: ReadRequest,
        scan: Scan,
    ) -> Option<ReadJob> {
        let Self {
            path,
            catalog,
            tail,
            damage,
            ..
        } = self;
        let failed = |error| failed(path, damage, error);
        match scan.advance(connection, catalog, tail, &request, failed) {
            Chunk::Ended => None,
            Chunk::Goes(scan, cursor) => {
                request.after = Some(cursor);
                let answer = ReadAnswer::Scan(scan);
                Some(ReadJob { request, answer })
            }
        }
    }

    fn read(
        &mut self,
        connection: &Connection,
        request: &ReadRequest,
    ) -> Result<SelectedPage, PersistenceError> {
        let Self {
            path,
            catalog,
            tail,
            damage,
            ..
        } = self;
        page::read(connection, catalog, tail, request).map_err(|error| failed(path, damage, error))
    }

    /// A damaged row is left out rather than turned into a value that nobody stored.
    fn parse(&self, selected: SelectedPage) -> Values {
        let parsed = selected.page.rows.iter().filter_map(|row| {
            match serde_json::from_str(row.json) {
                Ok(value) => Some(StoredValue {
                    record_name: row.record_name.to_owned(),
                    value,
                    stored_at: row.stored_at,
                }),
                Err(error) => {
                    if !self.damage_is_reported.swap(true, Ordering::Relaxed) {
                        report::warn(&format!(
                            "{}: the row of record `{}` at {} ms is not JSON ({error}); queries leave it out, \
                             and others like it without further word",
                            self.path.display(),
                            row.record_name.escape_debug(),
                            row.stored_at,
                        ));
                    }
                    None
                }
            }
        });
        Values {
            rows: parsed.collect(),
            any_series: selected.any_series,
            next: selected.page.next,
        }
    }
}

fn failed(path: &Path, damage: &mut Option<Failure>, error: rusqlite::Error) -> PersistenceError {
    let failure = Failure::of_sqlite(path, "reading rows", error);
    if failure.kind() == StorageErrorKind::Corrupt {
        *damage = Some(failure.clone());
    }
    failure.into()
}

/// How a reading connection is opened.
pub(crate) type OpenReader = fn(&Path, &SqliteBackendBuilder) -> Result<Connection, Failure>;

/// Looking whether the file has been replaced takes a system call, which queries that follow one another closely do
/// without.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// A thread's connection, and the file that it reads.
pub(crate) struct Reader {
    connection: Connection,
    place: Place,
    looks_again_at: Instant,
    /// How often the backend's writer has gone on in another file: what it has stored there is found at once.
    moves: Arc<AtomicU64>,
    known_moves: u64,
    open: OpenReader,
    options: SqliteBackendBuilder,
    reading: Reading,
    alarm: Option<Arc<Alarm>>,
}

impl Reader {
    pub(crate) fn open(
        path: &Path,
        open: OpenReader,
        options: &SqliteBackendBuilder,
        reading: Reading,
        alarm: Option<Arc<Alarm>>,
        moves: Arc<AtomicU64>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            connection: open(path, options)?,
            place: Place::of(path),
            looks_again_at: Instant::now(),
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
            if let Some(damage) = self.reading.damage.take()
                && let Some(alarm) = &self.alarm
            {
                alarm.raise(&self.place, damage);
            }
        }
    }

    /// Reads the file that lies at the path by now, should it be another one. Where that cannot be opened, the one
    /// at hand still answers.
    fn follow(&mut self) {
        let (now, moves) = (Instant::now(), self.moves.load(Ordering::Acquire));
        if moves == self.known_moves && now < self.looks_again_at {
            return;
        }
        (self.looks_again_at, self.known_moves) = (now + LOOK_AGAIN_AFTER, moves);
        if self.place.is_lost()
            && let Ok(connection) = (self.open)(&self.reading.path, &self.options)
        {
            self.place = Place::of(&self.reading.path);
            self.connection = connection;
            self.reading.forget();
        }
    }
}
