//! What the writing thread is asked to do.

use std::path::PathBuf;
use std::sync::Arc;

use aimdb_persistence_backend::{BatchOutcome, PersistenceError, Rows, SeriesDeclaration};
use tokio::sync::oneshot;

use crate::error::Failure;
use crate::read::reading::ReadJob;
use crate::remove::erase::Erasure;
use crate::remove::expired::Expiry;
use crate::remove::removal::{Removal, ReportTo};

pub(crate) type Answer<T> = oneshot::Sender<Result<T, PersistenceError>>;

pub(crate) enum Command {
    Store(Store),
    Declare(Vec<SeriesDeclaration>, Answer<()>),
    Sweep(Expiry, ReportTo),
    Erase(Erasure, ReportTo),
    /// Packing or unpacking.
    Work(Box<dyn Removal>, ReportTo),
    Flush(Answer<()>),
    Rename {
        from: Box<str>,
        to: Box<str>,
        answer: Answer<()>,
    },
    /// Of a database in memory. A file is copied by a thread of its own.
    BackUp {
        to: PathBuf,
        file_mode: u32,
        answer: Answer<()>,
    },
    /// Of a database in memory, which has one connection.
    Read(ReadJob),
}

/// Rows to be stored, in one transaction with other rows that are queued.
pub(crate) struct Store {
    pub(crate) rows: Arc<Rows>,
    pub(crate) answer: oneshot::Sender<BatchOutcome>,
}

/// What has been taken from the queue and has not been answered.
#[derive(Default)]
pub(crate) struct Unfinished {
    pub(crate) stores: Vec<Store>,
    pub(crate) command: Option<Command>,
}

impl Unfinished {
    pub(crate) fn of(command: Command) -> Self {
        Self {
            stores: Vec::new(),
            command: Some(command),
        }
    }

    /// Sending fails when the caller has gone. Then nobody waits for the answer.
    pub(crate) fn refuse(self, failure: &Failure) {
        for store in self.stores {
            store.refuse(failure);
        }
        match self.command {
            Some(Command::Store(store)) => store.refuse(failure),
            Some(
                Command::Declare(_, answer)
                | Command::Flush(answer)
                | Command::Rename { answer, .. },
            ) => {
                let _ = answer.send(Err(failure.clone().into()));
            }
            Some(
                Command::Sweep(_, report_to)
                | Command::Erase(_, report_to)
                | Command::Work(_, report_to),
            ) => {
                let _ = report_to.send(Err(failure.clone().into()));
            }
            // Only a database in memory gets these, and it cannot be lost.
            Some(Command::Read(_) | Command::BackUp { .. }) | None => {}
        }
    }
}

impl Store {
    fn refuse(self, failure: &Failure) {
        let _ = self
            .answer
            .send(BatchOutcome::stopped(failure.clone().into()));
    }
}
