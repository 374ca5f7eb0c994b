//! What the task that writes is asked to do.

use std::sync::Arc;

use aimdb_persistence_backend::{
    BatchOutcome, PersistenceError, Rows, SeriesDeclaration, SweepReport,
};
use tokio::sync::oneshot;

use crate::remove::expired::Expiry;

pub(crate) type Answer<T> = oneshot::Sender<Result<T, PersistenceError>>;

pub(crate) enum Command {
    Store(Store),
    Declare(Vec<SeriesDeclaration>, Answer<()>),
    Sweep(Expiry, Answer<SweepReport>),
    /// The rows of a series between two times, both inclusive.
    Erase {
        record_name: Box<str>,
        start: i64,
        end: i64,
        answer: Answer<SweepReport>,
    },
    Rename {
        from: Box<str>,
        to: Box<str>,
        answer: Answer<()>,
    },
    Flush(Answer<()>),
    /// Nothing more is taken in; what is queued is finished.
    Close,
}

/// Rows to be stored, in one transaction with other rows that are queued.
pub(crate) struct Store {
    pub(crate) rows: Arc<Rows>,
    pub(crate) answer: oneshot::Sender<BatchOutcome>,
}
