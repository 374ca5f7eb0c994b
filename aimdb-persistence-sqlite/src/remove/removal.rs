//! Removals that somebody waits for: one after the other, in steps between commits.

use std::collections::VecDeque;
use std::time::Instant;

use aimdb_persistence::{PersistenceError, SweepReport};
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

/// Removals in order of their commands. They take turns, a step each.
#[derive(Default)]
pub(crate) struct Removals {
    under_way: VecDeque<(Box<dyn Removal>, ReportTo)>,
}

impl Removals {
    pub(crate) fn begin(&mut self, removal: impl Removal + 'static, report_to: ReportTo) {
        self.under_way.push_back((Box::new(removal), report_to));
    }

    /// Ends all of them before they are done.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        for (_, report_to) in self.under_way.drain(..) {
            // Sending fails when the caller has gone. Then nobody waits for the answer.
            let _ = report_to.send(Err(failure.clone().into()));
        }
    }
}

impl Chore for Removals {
    fn due(&self, _writer: &WriteConnection) -> Option<Instant> {
        let (removal, _) = self.under_way.front()?;
        Some(removal.not_before().unwrap_or_else(Instant::now))
    }

    fn precedes_stores(&self, _writer: &WriteConnection) -> bool {
        false
    }

    fn step(&mut self, writer: &mut WriteConnection) {
        let Some((mut removal, report_to)) = self.under_way.pop_front() else {
            return;
        };
        if report_to.is_closed() {
            return;
        }
        let answer = match removal.step(writer) {
            Ok(None) => return self.under_way.push_back((removal, report_to)),
            Ok(Some(report)) => {
                writer.restore_reserve();
                Ok(report)
            }
            Err(failure) if writer.make_room(&failure) => {
                return self.under_way.push_back((removal, report_to));
            }
            Err(failure) => Err(writer.note(failure).into()),
        };
        // Sending fails when the caller has gone. Then nobody waits for the answer.
        let _ = report_to.send(answer);
    }
}
