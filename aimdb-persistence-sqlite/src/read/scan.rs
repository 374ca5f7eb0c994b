//! Scans: a visitor looks at rows as SQLite hands them out, in chunks of one short transaction each.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use aimdb_persistence::{
    Cursor, PersistenceError, ReadRequest, Row, RowVisitor, ScanRest, Scanned, Visit,
};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::layout::tail::Tail;
use crate::read::catalog::Catalog;
use crate::read::walk::{self, Sink, Step};

/// A chunk ends after this time: what another query may have to wait for, and how long the log
/// cannot start over.
const CHUNK: Duration = Duration::from_millis(5);
/// The clock, and whether the caller has gone, are looked at after so many rows and series.
const STEPS_PER_LOOK: usize = 256;

/// What became of a scan: a panic of the visitor is the caller's.
pub(crate) type ScanResult = Result<Result<Scanned, PersistenceError>, Box<dyn Any + Send>>;

/// A scan under way.
pub(crate) struct Scan {
    pub(crate) visitor: Box<dyn RowVisitor>,
    pub(crate) answer: oneshot::Sender<ScanResult>,
}

/// How a chunk ended.
pub(crate) enum Chunk {
    /// There may be more after the cursor.
    Goes(Scan, Cursor),
    /// The caller has been told, or has gone.
    Ended,
}

impl Scan {
    /// Looks at a chunk of rows, and answers if it was the last.
    pub(crate) fn advance(
        mut self,
        connection: &Connection,
        catalog: &mut Catalog,
        tail: &mut Tail,
        request: &ReadRequest,
        failed: impl FnOnce(rusqlite::Error) -> PersistenceError,
    ) -> Chunk {
        let mut sink = Looking {
            scan: &mut self,
            ends_at: Instant::now() + CHUNK,
            steps: 0,
            stopped: false,
        };
        // A visitor that panicked is not looked at again.
        let walk = || walk::walk(connection, catalog, tail, request, &mut sink);
        let walked = catch_unwind(AssertUnwindSafe(walk));
        let stopped = sink.stopped;
        let rest = match walked {
            Ok(Ok(walked)) => match walked.next {
                Some(_) if self.answer.is_closed() => return Chunk::Ended,
                Some(cursor) if !stopped => return Chunk::Goes(self, cursor),
                next => Ok(Ok(next.map(ScanRest::after))),
            },
            Ok(Err(error)) => Ok(Err(failed(error))),
            Err(panic) => Err(panic),
        };
        let Self { visitor, answer } = self;
        // A send fails when the caller has lost interest meanwhile, which is nobody's problem.
        let _ = answer.send(rest.map(|rest| rest.map(|rest| Scanned { visitor, rest })));
        Chunk::Ended
    }
}

/// A visitor that looks at the rows of a chunk.
struct Looking<'a> {
    scan: &'a mut Scan,
    ends_at: Instant,
    /// Rows and series since the chunk began.
    steps: usize,
    /// By the visitor.
    stopped: bool,
}

impl Sink for Looking<'_> {
    fn begin_series(&mut self, key: &str) -> bool {
        self.scan.visitor.begin_series(key)
    }

    fn row(&mut self, row: Row<'_>) -> Step {
        match self.scan.visitor.visit(row) {
            Visit::Stop => {
                self.stopped = true;
                Step::Stop
            }
            Visit::NextSeries => Step::NextSeries,
            Visit::Continue if self.is_to_end() => Step::Stop,
            Visit::Continue => Step::Next,
        }
    }

    fn stops_after_series(&mut self) -> bool {
        self.is_to_end()
    }

    fn needs_json(&self) -> bool {
        self.scan.visitor.needs_json()
    }
}

impl Looking<'_> {
    fn is_to_end(&mut self) -> bool {
        self.steps += 1;
        self.steps.is_multiple_of(STEPS_PER_LOOK)
            && (self.scan.answer.is_closed() || Instant::now() >= self.ends_at)
    }
}
