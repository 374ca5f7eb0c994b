//! The threads that read: jobs from one queue, each answered with one page.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aimdb_persistence::{
    Cursor, Page, PersistenceError, ReadRequest, StorageErrorKind, StoredValue,
};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::catalog::Catalog;
use crate::error::Failure;
use crate::loss::Alarm;
use crate::page::{self, SelectedPage};
use crate::place::Place;
use crate::queue::{Queue, Taken, Taker};
use crate::report;
use crate::tail::Tail;

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
    /// A damaged row is reported once by each backend, not by each query that meets it.
    damage_is_reported: Arc<AtomicBool>,
}

impl Reading {
    pub(crate) fn new(path: &Path, damage_is_reported: Arc<AtomicBool>) -> Self {
        Self {
            path: path.to_owned(),
            catalog: Catalog::default(),
            tail: Tail::default(),
            damage_is_reported,
        }
    }

    /// What was learnt of the file does not hold for another one.
    fn forget(&mut self) {
        (self.catalog, self.tail) = (Catalog::default(), Tail::default());
    }

    /// Reads the page and answers, unless the caller has gone. Gives back damage that was met.
    pub(crate) fn answer(&mut self, connection: &Connection, job: ReadJob) -> Option<Failure> {
        // A send fails when the caller has lost interest meanwhile, which is nobody's problem.
        match job.answer {
            ReadAnswer::Text(answer) if !answer.is_closed() => {
                let (page, damage) = self.read(connection, &job.request);
                let _ = answer.send(page.map(|selected| selected.page));
                damage
            }
            ReadAnswer::Values(answer) if !answer.is_closed() => {
                let (page, damage) = self.read(connection, &job.request);
                let _ = answer.send(page.map(|selected| self.parse(selected)));
                damage
            }
            ReadAnswer::Text(_) | ReadAnswer::Values(_) => None,
        }
    }

    fn read(
        &mut self,
        connection: &Connection,
        request: &ReadRequest,
    ) -> (Result<SelectedPage, PersistenceError>, Option<Failure>) {
        match page::read(connection, &mut self.catalog, &mut self.tail, request) {
            Ok(page) => (Ok(page), None),
            Err(error) => {
                let failure = Failure::of_sqlite(&self.path, "reading rows", error);
                let is_damage = failure.kind() == StorageErrorKind::Corrupt;
                let damage = is_damage.then(|| failure.clone());
                (Err(failure.into()), damage)
            }
        }
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

/// How a reading connection is opened.
pub(crate) type OpenReader = fn(&Path, Duration) -> Result<Connection, Failure>;

/// A thread's connection, and the file that it reads.
pub(crate) struct Reader {
    connection: Connection,
    place: Place,
    open: OpenReader,
    busy_timeout: Duration,
    reading: Reading,
    alarm: Option<Arc<Alarm>>,
}

impl Reader {
    pub(crate) fn open(
        path: &Path,
        open: OpenReader,
        busy_timeout: Duration,
        reading: Reading,
        alarm: Option<Arc<Alarm>>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            connection: open(path, busy_timeout)?,
            place: Place::of(path),
            open,
            busy_timeout,
            reading,
            alarm,
        })
    }

    /// Takes jobs until the queue is closed and empty.
    pub(crate) fn run(mut self, jobs: Arc<Queue<ReadJob>>) {
        let jobs = Taker(jobs);
        while let Taken::Item(job) = jobs.0.take_until(None) {
            self.follow();
            let damage = self.reading.answer(&self.connection, job);
            if let (Some(damage), Some(alarm)) = (damage, &self.alarm) {
                alarm.raise(&self.place, damage);
            }
        }
    }

    /// Reads the file that lies at the path by now, should it be another one. Where that cannot be opened, the one
    /// at hand still answers.
    fn follow(&mut self) {
        if self.place.is_lost()
            && let Ok(connection) = (self.open)(&self.reading.path, self.busy_timeout)
        {
            self.place = Place::of(&self.reading.path);
            self.connection = connection;
            self.reading.forget();
        }
    }
}
