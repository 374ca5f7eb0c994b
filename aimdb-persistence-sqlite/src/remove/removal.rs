//! Removals that somebody waits for: one after the other, in steps between commits.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use aimdb_persistence_backend::{PersistenceError, StorageErrorKind, SweepReport};
use tokio::sync::oneshot;

use crate::error::Failure;
use crate::write::chore::Chore;
use crate::write::connection::WriteConnection;

/// Where the report of a removal goes.
pub(crate) type ReportTo = oneshot::Sender<Result<SweepReport, PersistenceError>>;

/// A removal under way.
pub(crate) trait Removal: Send {
    /// Takes one step; gives the report after the last one. After a step that failed it begins again.
    fn step(&mut self, writer: &mut WriteConnection) -> Result<Option<SweepReport>, Failure>;

    /// The next step is not taken before this time.
    fn not_before(&self) -> Option<Instant>;
}

/// Another program may hold the lock so long, after it was last had, before a removal is given up.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

struct UnderWay {
    removal: Box<dyn Removal>,
    report_to: ReportTo,
    /// Since when it waits for the lock.
    waits_since: Option<Instant>,
}

/// Removals in order of their commands. They take turns, a step each.
#[derive(Default)]
pub(crate) struct Removals {
    under_way: VecDeque<UnderWay>,
}

impl UnderWay {
    fn may_wait(&mut self) -> bool {
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        since.elapsed() < LONGEST_WAIT
    }
}

impl Removals {
    pub(crate) fn begin(&mut self, removal: impl Removal + 'static, report_to: ReportTo) {
        self.begin_boxed(Box::new(removal), report_to);
    }

    pub(crate) fn begin_boxed(&mut self, removal: Box<dyn Removal>, report_to: ReportTo) {
        self.under_way.push_back(UnderWay {
            removal,
            report_to,
            waits_since: None,
        });
    }

    /// Ends all of them before they are done.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        for under_way in self.under_way.drain(..) {
            // Sending fails when the caller has gone. Then nobody waits for the answer.
            let _ = under_way.report_to.send(Err(failure.clone().into()));
        }
    }
}

impl Chore for Removals {
    fn due(&self, _writer: &WriteConnection) -> Option<Instant> {
        let under_way = self.under_way.front()?;
        Some(under_way.removal.not_before().unwrap_or_else(Instant::now))
    }

    fn precedes_stores(&self, _writer: &WriteConnection) -> bool {
        false
    }

    fn step(&mut self, writer: &mut WriteConnection) {
        let Some(mut under_way) = self.under_way.pop_front() else {
            return;
        };
        if under_way.report_to.is_closed() {
            return;
        }
        let answer = match under_way.removal.step(writer) {
            Ok(None) => {
                under_way.waits_since = None;
                return self.under_way.push_back(under_way);
            }
            Ok(Some(report)) => {
                writer.restore_reserve();
                Ok(report)
            }
            Err(failure) if writer.make_room(&failure) => {
                return self.under_way.push_back(under_way);
            }
            // What has been removed is counted, and the rest goes when the lock is to be had.
            Err(failure) if failure.kind() == StorageErrorKind::Busy && under_way.may_wait() => {
                return self.under_way.push_back(under_way);
            }
            Err(failure) => Err(writer.note(failure).into()),
        };
        // Sending fails when the caller has gone. Then nobody waits for the answer.
        let _ = under_way.report_to.send(answer);
    }
}
