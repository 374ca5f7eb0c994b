//! Removing expired rows in small steps between commits.

use std::time::Instant;

use aimdb_persistence_backend::SweepReport;
use rusqlite::{Connection, OptionalExtension};

use crate::chunks::change::{Removing, remove_between};
use crate::chunks::count::Stretch;
use crate::error::{During, Failure};
use crate::layout::sql;
use crate::remove::expired::{self, Expiry, Targets};
use crate::remove::removal::Removal;
use crate::remove::shrink::Shrinking;
use crate::write::connection::{Sync, WriteConnection};

const DAY_MS: u64 = 86_400_000;
/// A first sweep that finds more time passed than this since the last one needs a trusted clock.
const PLAUSIBLE_GAP_MS: u64 = 30 * DAY_MS;

/// A sweep under way.
pub(crate) struct Sweep {
    expiry: Expiry,
    stage: Stage,
    removed: u64,
}

#[derive(Default)]
enum Stage {
    #[default]
    Begin,
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
        }
    }

    fn done(&self) -> Stage {
        Stage::Done(SweepReport {
            removed: self.removed,
            put_off: None,
        })
    }

    fn begin(&self, writer: &mut WriteConnection) -> rusqlite::Result<Stage> {
        if let Expiry::Retention(request) = &self.expiry
            && !request.clock_is_trusted
            && let Some(last_ms) = last_sweep_ms(&writer.connection)?
            && let Some(gap_ms) = request.now_ms.checked_sub(last_ms)
            && gap_ms > PLAUSIBLE_GAP_MS
        {
            return Ok(Stage::Done(SweepReport {
                removed: 0,
                put_off: Some(gap_ms),
            }));
        }
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
            0 => self.done(),
            _ => Stage::Shrink(Shrinking::default()),
        })
    }

    /// Keeps the time of this sweep for the next start; at most once a day where nothing was removed.
    fn remember(&self, writer: &mut WriteConnection) -> Result<(), Failure> {
        let Expiry::Retention(request) = &self.expiry else {
            return Ok(());
        };
        let last_ms =
            last_sweep_ms(&writer.connection).during(writer.path(), "reading the last sweep")?;
        let is_recent = last_ms.is_some_and(|last_ms| request.now_ms.abs_diff(last_ms) < DAY_MS);
        if self.removed == 0 && is_recent {
            return Ok(());
        }
        let now_ms = i64::try_from(request.now_ms).unwrap_or(i64::MAX);
        writer.transaction(Sync::Later, "remembering the sweep", |writer| {
            let mut set = writer.connection.prepare_cached(sql::SET_LAST_SWEEP)?;
            set.execute([now_ms]).map(drop)
        })
    }
}

impl Removal for Sweep {
    fn step(&mut self, writer: &mut WriteConnection) -> Result<Option<SweepReport>, Failure> {
        let doing = "sweeping expired rows";
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Begin => {
                let begun = self.begin(writer);
                begun.during(writer.path(), doing)?
            }
            Stage::Merge { targets, up_to } => match writer.merge_up_to(up_to)? {
                true => self.remove(targets, writer)?,
                false => Stage::Merge { targets, up_to },
            },
            Stage::Remove(targets) => self.remove(targets, writer)?,
            Stage::Shrink(shrinking) => {
                let rest = shrinking.step(writer)?;
                rest.map_or_else(|| self.done(), Stage::Shrink)
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

fn last_sweep_ms(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let last: Option<i64> = connection
        .prepare_cached(sql::LAST_SWEEP)?
        .query_row([], |r| r.get(0))
        .optional()?;
    Ok(last.map(|last| u64::try_from(last).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aimdb_persistence_backend::{Retention, Rows, StorageErrorKind, SweepRequest};

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
