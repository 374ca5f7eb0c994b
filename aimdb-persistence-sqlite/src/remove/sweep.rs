//! Removing expired rows in small steps between commits.

use std::time::Instant;

use aimdb_persistence_backend::SweepReport;

use crate::chunks::change::{Removing, remove_between};
use crate::chunks::count::Stretch;
use crate::error::{During, Failure};
use crate::remove::clock::{self, Inquiry, Opinion};
use crate::remove::expired::{self, Expiry, Targets};
use crate::remove::removal::Removal;
use crate::remove::shrink::Shrinking;
use crate::write::connection::{Sync, WriteConnection};

/// A sweep under way.
pub(crate) struct Sweep {
    expiry: Expiry,
    stage: Stage,
    removed: u64,
    clock_is_behind: bool,
}

#[derive(Default)]
enum Stage {
    #[default]
    Begin,
    /// Finds out whether the clock is to be believed.
    Inquire(Inquiry),
    /// Rows are deleted only from the clustered table, and only its rows are counted. If the tail holds rows that matter,
    /// it is merged first, as far as it reached at the beginning.
    Merge {
        targets: Targets,
        up_to: i64,
    },
    Remove(Targets),
    Shrink(Shrinking),
    Done(SweepReport),
}

impl Sweep {
    pub(crate) fn new(expiry: Expiry) -> Self {
        Self {
            expiry,
            stage: Stage::Begin,
            removed: 0,
            clock_is_behind: false,
        }
    }

    fn done(&self, put_off: Option<u64>) -> Stage {
        Stage::Done(SweepReport {
            removed: self.removed,
            put_off,
            clock_is_behind: self.clock_is_behind,
        })
    }

    fn begin(&mut self, writer: &mut WriteConnection) -> Result<Stage, Failure> {
        let doing = "looking for the last sweep";
        let opinion = match &self.expiry {
            Expiry::Before(_) => Opinion::Plausible,
            Expiry::Retention(request) => {
                let is_behind = clock::is_behind(writer, request.now_ms);
                self.clock_is_behind = is_behind.during(writer.path(), doing)?;
                match request.clock_is_trusted {
                    true => Opinion::Plausible,
                    false => {
                        let opinion = Inquiry::begin(writer, request.now_ms);
                        opinion.during(writer.path(), doing)?
                    }
                }
            }
        };
        self.heed(opinion, writer)
    }

    fn heed(&self, opinion: Opinion, writer: &mut WriteConnection) -> Result<Stage, Failure> {
        match opinion {
            Opinion::NotYet(inquiry) => Ok(Stage::Inquire(inquiry)),
            Opinion::Doubtful(gap_ms) => {
                if let Expiry::Retention(request) = &self.expiry {
                    clock::doubt(writer, request.now_ms)?;
                }
                Ok(self.done(Some(gap_ms)))
            }
            Opinion::Plausible => {
                let found = self.find(writer);
                found.during(writer.path(), "looking for expired rows")
            }
        }
    }

    fn find(&self, writer: &mut WriteConnection) -> rusqlite::Result<Stage> {
        let targets = expired::targets(&writer.connection, &self.expiry)?;
        writer.merge.measure(&writer.connection)?;
        let tail = &writer.merge.tail;
        let up_to = tail.newest();
        Ok(
            match expired::concern_tail(&targets, tail, &writer.connection)? {
                true => Stage::Merge { targets, up_to },
                false => Stage::Remove(targets),
            },
        )
    }

    fn remove(
        &mut self,
        mut targets: Targets,
        writer: &mut WriteConnection,
    ) -> Result<Stage, Failure> {
        let ranges = expired::next_ranges(&writer.connection, &mut targets)
            .during(writer.path(), "looking for expired rows")?;
        if !ranges.is_empty() {
            let removed = writer.transaction(Sync::Later, "removing expired rows", |writer| {
                ranges.into_iter().try_fold(0, |removed, (series, end)| {
                    let expired = Stretch::up_to(series, end);
                    let removing = Removing::Expired;
                    let these = remove_between(&writer.connection, expired, removing)?;
                    Ok(removed + these)
                })
            })?;
            self.removed += removed as u64;
        }
        if !targets.is_empty() {
            return Ok(Stage::Remove(targets));
        }
        self.remember(writer)?;
        Ok(match self.removed {
            0 => self.done(None),
            _ => Stage::Shrink(Shrinking::default()),
        })
    }

    /// Keeps the time of this sweep for the next start.
    fn remember(&self, writer: &mut WriteConnection) -> Result<(), Failure> {
        let Expiry::Retention(request) = &self.expiry else {
            return Ok(());
        };
        let to_remember = clock::remember_sweep(writer, request.now_ms, self.removed > 0);
        let to_remember = to_remember.during(writer.path(), "reading the last sweep")?;
        to_remember.map_or(Ok(()), |remembering| remembering.write(writer))
    }
}

impl Removal for Sweep {
    fn step(&mut self, writer: &mut WriteConnection) -> Result<Option<SweepReport>, Failure> {
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Begin => self.begin(writer)?,
            Stage::Inquire(inquiry) => {
                let opinion = inquiry.go_on(writer);
                let opinion = opinion.during(writer.path(), "comparing the clock with the rows")?;
                self.heed(opinion, writer)?
            }
            Stage::Merge { targets, up_to } => match writer.merge_up_to(up_to)? {
                true => self.remove(targets, writer)?,
                false => Stage::Merge { targets, up_to },
            },
            Stage::Remove(targets) => self.remove(targets, writer)?,
            Stage::Shrink(shrinking) => {
                let rest = shrinking.step(writer)?;
                rest.map_or_else(|| self.done(None), Stage::Shrink)
            }
            Stage::Done(report) => Stage::Done(report),
        };
        Ok(match &self.stage {
            Stage::Done(report) => Some(*report),
            _ => None,
        })
    }

    fn not_before(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Shrink(shrinking) => shrinking.not_before(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aimdb_persistence_backend::{Retention, Rows, StorageErrorKind, SweepRequest};
    use rusqlite::Connection;
    use tokio::sync::oneshot;

    use super::*;
    use crate::file::open;
    use crate::health::Health;
    use crate::options::SqliteBackendBuilder;
    use crate::remove::removal::Removals;
    use crate::write::chore::Chore;

    fn batch(times: std::ops::Range<u64>) -> Arc<Rows> {
        let mut batch = Rows::new();
        times.for_each(|at| batch.push("t", at, "\"a value of some length\""));
        Arc::new(batch)
    }

    fn rows(writer: &WriteConnection) -> i64 {
        let count = "SELECT count(*) FROM record_history";
        let plain = Connection::open(writer.path()).unwrap();
        plain.query_row(count, [], |r| r.get(0)).unwrap()
    }

    #[test]
    fn when_the_file_may_not_grow_a_batch_is_refused_as_a_whole_and_a_sweep_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let options = SqliteBackendBuilder::new(path.clone());
        let connection = open::writer(&path, &options).unwrap();
        let mut writer = WriteConnection::new(connection, &options, &Health::default()).unwrap();
        assert_eq!(writer.store(&[batch(0..10_000)])[0].settled, 10_000);
        let limit = "PRAGMA max_page_count = 1"; // the pages that there are
        writer.connection.query_row(limit, [], |_| Ok(())).unwrap();

        let refused = writer.store(&[batch(10_000..20_000)]).remove(0);
        let error = refused.stopped_by.unwrap();
        assert_eq!(error.storage_kind(), Some(StorageErrorKind::DiskFull));
        assert_eq!((refused.settled, rows(&writer)), (0, 10_000));

        let expiry = Expiry::Retention(SweepRequest {
            now_ms: 10_000,
            default_retention: Retention::Milliseconds(1_000),
            longest_retention: Retention::Milliseconds(1_000),
            max_ahead_ms: 3_600_000,
            clock_is_trusted: true,
        });
        let (report_to, mut report) = oneshot::channel();
        let mut removals = Removals::default();
        removals.begin(Sweep::new(expiry), report_to);
        while removals.due(&writer).is_some() {
            removals.step(&mut writer);
        }
        assert_eq!(report.try_recv().unwrap().unwrap().removed, 9_000);
        assert_eq!(writer.store(&[batch(10_000..11_000)])[0].settled, 1_000);
        assert_eq!(rows(&writer), 2_000);
    }
}
