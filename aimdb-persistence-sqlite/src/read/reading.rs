//! What a thread that reads is asked, what it knows of the file, and how it answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aimdb_persistence_backend::{
    Cursor, Page, PersistenceError, ReadRequest, Rows, SeriesDeclaration, StorageErrorKind,
    StoredValue,
};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{During, Failure};
use crate::layout::declared::Declared;
use crate::read::last_stored;
use crate::read::page;
use crate::read::scan::{Chunk, Scan};
use crate::read::walk::RowIndex;
use crate::report;

/// A page to be read, or a scan to go on with.
pub(crate) struct ReadJob {
    pub(crate) request: ReadRequest,
    pub(crate) answer: ReadAnswer,
}

/// In which form the caller wants the rows.
pub(crate) enum ReadAnswer {
    Text(oneshot::Sender<Result<Page, PersistenceError>>),
    /// Parsed here: parsing a long answer would keep the executor busy.
    Values(oneshot::Sender<Result<Values, PersistenceError>>),
    Scan(Scan),
    /// Of the series that the request names the row that was stored last.
    LastStored(oneshot::Sender<Result<Rows, PersistenceError>>),
    /// What is declared of the series that the request selects.
    Declarations(oneshot::Sender<Result<Vec<SeriesDeclaration>, PersistenceError>>),
}

/// A page of parsed rows.
pub(crate) struct Values {
    pub(crate) rows: Vec<StoredValue>,
    pub(crate) next: Option<Cursor>,
}

/// Reads with one connection after the other.
pub(crate) struct Reading {
    path: PathBuf,
    index: RowIndex,
    /// Damage that the writer has not been told of yet.
    damage: Option<Failure>,
    /// A damaged row is reported once by each backend, not by each query that finds it.
    damage_is_reported: Arc<AtomicBool>,
}

impl Reading {
    pub(crate) fn new(path: &Path, damage_is_reported: Arc<AtomicBool>) -> Self {
        Self {
            path: path.to_owned(),
            index: RowIndex::default(),
            damage: None,
            damage_is_reported,
        }
    }

    /// The next connection is to another file: nothing that was learnt holds for it.
    pub(crate) fn forget(&mut self) {
        self.index = RowIndex::default();
    }

    pub(crate) fn take_damage(&mut self) -> Option<Failure> {
        self.damage.take()
    }

    /// Does the job and answers, unless the caller has gone. Gives back what is left of a scan.
    pub(crate) fn answer(&mut self, connection: &Connection, job: ReadJob) -> Option<ReadJob> {
        // Sending fails when the caller has gone. Then nobody waits for the answer.
        match job.answer {
            ReadAnswer::Text(answer) if !answer.is_closed() => {
                let _ = answer.send(self.read(connection, &job.request));
            }
            ReadAnswer::Values(answer) if !answer.is_closed() => {
                let page = self.read(connection, &job.request);
                let _ = answer.send(page.map(|page| self.parse(page)));
            }
            ReadAnswer::Scan(scan) if !scan.answer.is_closed() => {
                return self.go_on(connection, job.request, scan);
            }
            ReadAnswer::LastStored(answer) if !answer.is_closed() => {
                let last = last_stored::read(connection, &mut self.index, &job.request);
                let _ = answer.send(self.note(last));
            }
            ReadAnswer::Declarations(answer) if !answer.is_closed() => {
                let declared = Declared::select(connection, &job.request.pattern);
                let _ = answer.send(self.note(declared));
            }
            ReadAnswer::Text(_)
            | ReadAnswer::Values(_)
            | ReadAnswer::Scan(_)
            | ReadAnswer::LastStored(_)
            | ReadAnswer::Declarations(_) => {}
        }
        None
    }

    fn read(
        &mut self,
        connection: &Connection,
        request: &ReadRequest,
    ) -> Result<Page, PersistenceError> {
        let page = page::read(connection, &mut self.index, request);
        self.note(page)
    }

    fn go_on(
        &mut self,
        connection: &Connection,
        mut request: ReadRequest,
        scan: Scan,
    ) -> Option<ReadJob> {
        match scan.advance(connection, &mut self.index, &request) {
            Chunk::Ended => None,
            Chunk::Failed(scan, error) => {
                if let Err(error) = self.note::<()>(Err(error)) {
                    scan.fail(error);
                }
                None
            }
            Chunk::Goes(scan, cursor) => {
                request.after = Some(cursor);
                let answer = ReadAnswer::Scan(scan);
                Some(ReadJob { request, answer })
            }
        }
    }

    /// Takes note of damage, if that is what the error is.
    fn note<T>(&mut self, read: rusqlite::Result<T>) -> Result<T, PersistenceError> {
        let read = read.during(&self.path, "reading rows");
        read.map_err(|failure| {
            if failure.kind() == StorageErrorKind::Corrupt {
                self.damage = Some(failure.clone());
            }
            failure.into()
        })
    }

    /// A damaged row is left out. It is not turned into a value that nobody stored.
    fn parse(&self, page: Page) -> Values {
        let parsed = page.rows.iter().filter_map(|row| {
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
            next: page.next,
        }
    }
}
