//! What a thread that reads is asked, what it knows of the file, and how it answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aimdb_persistence_backend::{
    Page, PersistenceError, ReadRequest, Rows, SeriesDeclaration, StorageErrorKind,
};
use tokio::sync::oneshot;

use crate::error::{During, Failure, is_corrupt};
use crate::file::opened::Opened;
use crate::health::Health;
use crate::layout::declared::Declared;
use crate::read::cursor::After;
use crate::read::found::Found;
use crate::read::last_stored;
use crate::read::packed_series::{self, PackedSeries};
use crate::read::page;
use crate::read::scan::{Chunk, Scan};
use crate::read::walk::RowIndex;

const READ_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// A page to be read, or a scan to go on with.
pub(crate) struct ReadJob {
    pub(crate) request: ReadRequest,
    /// What the request's cursor says.
    pub(crate) after: Option<After>,
    pub(crate) answer: ReadAnswer,
}

/// In which form the caller wants the rows.
pub(crate) enum ReadAnswer {
    Text(oneshot::Sender<Result<Page, PersistenceError>>),
    Scan(Scan),
    /// Of the series that the request names the row that was stored last.
    LastStored(oneshot::Sender<Result<Rows, PersistenceError>>),
    /// What is declared of the series that the request selects.
    Declarations(oneshot::Sender<Result<Vec<SeriesDeclaration>, PersistenceError>>),
    /// How much is packed of the series that the request selects.
    Packed(oneshot::Sender<Result<Vec<PackedSeries>, PersistenceError>>),
}

/// Reads with one connection after the other.
pub(crate) struct Reading {
    path: PathBuf,
    index: RowIndex,
    /// Damage that the writer has not been told of yet.
    damage: Option<Failure>,
}

impl Reading {
    pub(crate) fn new(path: &Path, health: &Health) -> Self {
        Self {
            path: path.to_owned(),
            index: RowIndex::new(Found::new(path, health)),
            damage: None,
        }
    }

    /// The next connection is to another file: nothing that was learnt holds for it.
    pub(crate) fn forget(&mut self) {
        self.index.forget();
    }

    pub(crate) fn take_damage(&mut self) -> Option<Failure> {
        self.damage.take()
    }

    /// Does the job and answers, unless the caller has gone. Gives back what is left of a scan.
    pub(crate) fn answer(&mut self, connection: &Opened, job: ReadJob) -> Option<ReadJob> {
        let rest = self.do_job(connection, job);
        if let Some(damage) = self.index.found.take_damage() {
            self.damage = Some(damage);
        }
        rest
    }

    fn do_job(&mut self, connection: &Opened, job: ReadJob) -> Option<ReadJob> {
        // Sending fails when the caller has gone. Then nobody waits for the answer.
        match job.answer {
            ReadAnswer::Text(answer) if !answer.is_closed() => {
                let _ = answer.send(self.read(connection, &job.request, job.after.as_ref()));
            }
            ReadAnswer::Scan(scan) if !scan.answer.is_closed() => {
                return self.go_on(connection, job.request, job.after, scan);
            }
            ReadAnswer::LastStored(answer) if !answer.is_closed() => {
                let last = last_stored::read(connection, &mut self.index, &job.request);
                let _ = answer.send(self.note(last));
            }
            ReadAnswer::Declarations(answer) if !answer.is_closed() => {
                let declared = Declared::select(connection, &job.request.pattern);
                let _ = answer.send(self.note(declared));
            }
            ReadAnswer::Packed(answer) if !answer.is_closed() => {
                let packed = packed_series::packed(connection, &job.request.pattern);
                let _ = answer.send(self.note(packed));
            }
            ReadAnswer::Text(_)
            | ReadAnswer::Scan(_)
            | ReadAnswer::LastStored(_)
            | ReadAnswer::Declarations(_)
            | ReadAnswer::Packed(_) => {}
        }
        None
    }

    fn read(
        &mut self,
        connection: &Opened,
        request: &ReadRequest,
        after: Option<&After>,
    ) -> Result<Page, PersistenceError> {
        let mut page = page::read(connection, &mut self.index, request, after);
        if page.as_ref().is_err_and(is_corrupt) {
            // SQLite says the same of a read that the disk refused, and that may read a moment later.
            self.forget();
            std::thread::sleep(READ_AGAIN_AFTER);
            page = connection
                .execute_batch("PRAGMA shrink_memory")
                .and_then(|()| page::read(connection, &mut self.index, request, after));
        }
        self.note(page)
    }

    fn go_on(
        &mut self,
        connection: &Opened,
        request: ReadRequest,
        after: Option<After>,
        scan: Scan,
    ) -> Option<ReadJob> {
        match scan.advance(connection, &mut self.index, &request, after.as_ref()) {
            Chunk::Ended => None,
            Chunk::Failed(scan, error) => {
                if let Err(error) = self.note::<()>(Err(error)) {
                    scan.fail(error);
                }
                None
            }
            Chunk::Goes(scan, rest) => Some(ReadJob {
                request,
                after: Some(rest),
                answer: ReadAnswer::Scan(scan),
            }),
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
}
