//! Scans: a visitor is shown the rows as SQLite hands them out, in chunks of one short transaction each.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use aimdb_persistence_backend::{PersistenceError, ReadRequest, RowVisitor, ScanRest, Scanned};
use tokio::sync::oneshot;

use crate::file::opened::Opened;
use crate::read::cursor::After;
use crate::read::walk::{RowIndex, Walked};

/// A chunk ends after this time. Another query may have to wait for so long, and the log cannot start over meanwhile.
const CHUNK: Duration = Duration::from_millis(5);
/// After so many rows and series a chunk asks for the time, and whether its caller has gone.
const STEPS_PER_CHECK: usize = 256;

/// What became of a scan. A panic of the visitor is the caller's.
pub(crate) type ScanResult = Result<Result<Scanned, PersistenceError>, Box<dyn Any + Send>>;

/// A scan under way.
pub(crate) struct Scan {
    pub(crate) visitor: Box<dyn RowVisitor>,
    pub(crate) answer: oneshot::Sender<ScanResult>,
}

/// How a chunk ended.
pub(crate) enum Chunk {
    /// There may be more after this.
    Goes(Scan, After),
    /// The caller has been told, or has gone.
    Ended,
    /// The caller is to be told.
    Failed(Scan, rusqlite::Error),
}

impl Scan {
    /// Shows a chunk of rows, and answers if it was the last.
    pub(crate) fn advance(
        mut self,
        connection: &Opened,
        index: &mut RowIndex,
        request: &ReadRequest,
        after: Option<&After>,
    ) -> Chunk {
        let Self { visitor, answer } = &mut self;
        let ends_at = Instant::now() + CHUNK;
        let mut steps: usize = 0;
        let is_to_pause = || {
            steps += 1;
            steps.is_multiple_of(STEPS_PER_CHECK)
                && (answer.is_closed() || Instant::now() >= ends_at)
        };
        // A visitor that panicked is not used again.
        let walk = || {
            let walked = index.walk(connection, request, after, &mut **visitor, is_to_pause)?;
            connection.vouch().map(|()| walked)
        };
        match catch_unwind(AssertUnwindSafe(walk)) {
            Err(panic) => self.answer(Err(panic)),
            Ok(Err(error)) => return Chunk::Failed(self, error),
            Ok(Ok(Walked::ToTheEnd)) => self.done(None),
            Ok(Ok(Walked::Stopped(rest))) => self.done(Some(ScanRest::after(rest.into_cursor()))),
            Ok(Ok(Walked::Paused(_))) if self.answer.is_closed() => {}
            Ok(Ok(Walked::Paused(rest))) => return Chunk::Goes(self, rest),
        }
        Chunk::Ended
    }

    pub(crate) fn fail(self, error: PersistenceError) {
        self.answer(Ok(Err(error)));
    }

    fn done(self, rest: Option<ScanRest>) {
        let Self { visitor, answer } = self;
        // Sending fails when the caller has gone. Then nobody waits for the answer.
        let _ = answer.send(Ok(Ok(Scanned { visitor, rest })));
    }

    fn answer(self, result: ScanResult) {
        // Sending fails when the caller has gone. Then nobody waits for the answer.
        let _ = self.answer.send(result);
    }
}
