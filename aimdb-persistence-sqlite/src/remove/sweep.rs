//! Removing expired rows in small steps between writes.

use std::time::Instant;

use aimdb_persistence::{PersistenceError, SweepReport};
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::oneshot;

use crate::error::Failure;
use crate::layout::sql;
use crate::remove::shrink::Shrinking;
use crate::remove::targets::{self, Expiry, Targets};
use crate::write::connection::{Sync, WriteConnection};

/// Rows deleted by one transaction: what a store may have to wait for.
const STEP_ROWS: i64 = 500;

const DAY_MS: u64 = 86_400_000;
/// A first sweep that finds more time passed than this since the last one needs a trusted clock.
const PLAUSIBLE_GAP_MS: u64 = 30 * DAY_MS;

/// A sweep under way.
pub(crate) struct Sweep {
    expiry: Expiry,
    stage: Stage,
    removed: u64,
    answer: oneshot::Sender<Result<SweepReport, PersistenceError>>,
}

enum Stage {
    Begin,
    /// Only the clustered table gives rows up, and only its rows are counted. A tail with rows that
    /// matter is therefore merged first, as far as it reached when the sweep began.
    Merge {
        targets: Targets,
        up_to: i64,
    },
    Remove(Targets),
    /// The rows of one series within the range, once the tail is merged up to here.
    Erase {
        series: i64,
        merged_up_to: i64,
    },
    Shrink(Shrinking),
}

enum Next {
    Go(Stage),
    Done(SweepReport),
}

impl Sweep {
    pub(crate) fn new(
        expiry: Expiry,
        answer: oneshot::Sender<Result<SweepReport, PersistenceError>>,
    ) -> Self {
        Self {
            expiry,
            stage: Stage::Begin,
            removed: 0,
            answer,
        }
    }

    /// When the next step may be taken.
    pub(crate) fn next_step_at(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Shrink(shrinking) => shrinking.next_step_at(),
            _ => None,
        }
    }

    /// Ends before it is done.
    pub(crate) fn fail(self, failure: &Failure) {
        // Whoever asked may have lost interest meanwhile.
        let _ = self.answer.send(Err(failure.clone().into()));
    }

    /// Takes one step; gives itself back while there is more to do and somebody to tell.
    pub(crate) fn step(mut self, writer: &mut WriteConnection) -> Option<Self> {
        if self.answer.is_closed() {
            return None;
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Begin);
        let answer = match self.advance(stage, writer) {
            Ok(Next::Go(stage)) => {
                self.stage = stage;
                return Some(self);
            }
            Ok(Next::Done(report)) => {
                writer.restore_reserve();
                Ok(report)
            }
            // What was known of the targets has gone with the step.
            Err(failure) if writer.make_room(&failure) => return Some(self),
            Err(failure) => Err(writer.note(failure).into()),
        };
        // Whoever asked may have lost interest meanwhile.
        let _ = self.answer.send(answer);
        None
    }

    fn advance(&mut self, stage: Stage, writer: &mut WriteConnection) -> Result<Next, Failure> {
        let path = writer.path.clone();
        let failed = |error| Failure::of_sqlite(&path, "sweeping expired rows", error);
        match stage {
            Stage::Begin => self.begin(writer).map_err(failed),
            Stage::Merge { targets, up_to } if !writer.merge.has_settled(up_to) => {
                writer.merge.want_all();
                writer.merge_step()?;
                Ok(Next::Go(Stage::Merge { targets, up_to }))
            }
            Stage::Merge { targets, .. } | Stage::Remove(targets) => self.remove(targets, writer),
            Stage::Erase {
                series,
                merged_up_to,
            } => self.erase(series, merged_up_to, writer),
            Stage::Shrink(shrinking) => {
                let rest = shrinking.step(writer)?;
                Ok(rest.map_or_else(
                    || Next::Done(self.report()),
                    |rest| Next::Go(Stage::Shrink(rest)),
                ))
            }
        }
    }

    fn report(&self) -> SweepReport {
        SweepReport {
            removed: self.removed,
            put_off: None,
        }
    }

    fn begin(&self, writer: &mut WriteConnection) -> rusqlite::Result<Next> {
        if let Expiry::Retention(request) = &self.expiry
            && !request.clock_is_trusted
            && let Some(last_ms) = last_sweep_ms(&writer.connection)?
            && let Some(gap_ms) = request.now_ms.checked_sub(last_ms)
            && gap_ms > PLAUSIBLE_GAP_MS
        {
            return Ok(Next::Done(SweepReport {
                removed: 0,
                put_off: Some(gap_ms),
            }));
        }
        if let Expiry::Within(key, ..) = &self.expiry {
            return self.begin_to_erase(key, writer);
        }
        let targets = targets::targets(&writer.connection, &self.expiry)?;
        writer.merge.look(&writer.connection)?;
        let tail = &writer.merge.tail;
        let up_to = tail.newest();
        let concern_tail = targets::concern_tail(&targets, tail, &writer.connection)?;
        Ok(Next::Go(match concern_tail {
            true => Stage::Merge { targets, up_to },
            false => Stage::Remove(targets),
        }))
    }

    fn begin_to_erase(&self, key: &str, writer: &mut WriteConnection) -> rusqlite::Result<Next> {
        let mut id = writer.connection.prepare_cached(sql::SERIES_ID)?;
        let series: Option<i64> = id.query_row([key], |r| r.get(0)).optional()?;
        drop(id);
        writer.merge.look(&writer.connection)?;
        let tail = &writer.merge.tail;
        Ok(match series {
            None => Next::Done(self.report()),
            Some(series) => Next::Go(Stage::Erase {
                series,
                merged_up_to: if tail.holds(series) { tail.newest() } else { 0 },
            }),
        })
    }

    fn erase(
        &mut self,
        series: i64,
        merged_up_to: i64,
        writer: &mut WriteConnection,
    ) -> Result<Next, Failure> {
        let stage = Stage::Erase {
            series,
            merged_up_to,
        };
        if !writer.merge.has_settled(merged_up_to) {
            writer.merge.want_all();
            writer.merge_step()?;
            return Ok(Next::Go(stage));
        }
        let Expiry::Within(_, start, end) = self.expiry else {
            return Ok(Next::Done(self.report()));
        };
        let is_last = writer.transaction(Sync::Later, "deleting rows", |writer| {
            let mut nth = writer.connection.prepare_cached(sql::NTH_WITHIN)?;
            let place = |r: &rusqlite::Row<'_>| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?));
            let last = nth.query_row((series, start, end, STEP_ROWS - 1), place);
            let last = last.optional()?;
            let (stored_at, sequence) = last.unwrap_or((end, i64::MAX));
            let range = (series, start, stored_at, sequence);
            let connection = &writer.connection;
            connection
                .prepare_cached(sql::REMOVE_LARGE_WITHIN)?
                .execute(range)?;
            let removed = connection
                .prepare_cached(sql::REMOVE_WITHIN)?
                .execute(range)?;
            self.removed += removed as u64;
            Ok(last.is_none())
        })?;
        Ok(match (is_last, self.removed) {
            (false, _) => Next::Go(stage),
            (true, 0) => Next::Done(self.report()),
            (true, _) => Next::Go(Stage::Shrink(Shrinking::default())),
        })
    }

    fn remove(
        &mut self,
        mut targets: Targets,
        writer: &mut WriteConnection,
    ) -> Result<Next, Failure> {
        let ranges = targets::next_ranges(&writer.connection, &mut targets)
            .map_err(|error| Failure::of_sqlite(&writer.path, "looking for expired rows", error))?;
        if !ranges.is_empty() {
            self.removed += writer.transaction(Sync::Later, "removing expired rows", |writer| {
                let mut remove_large = writer.connection.prepare_cached(sql::REMOVE_LARGE_UP_TO)?;
                let mut remove = writer.connection.prepare_cached(sql::REMOVE_UP_TO)?;
                ranges.iter().try_fold(0, |removed, range| {
                    remove_large.execute(*range)?;
                    Ok(removed + remove.execute(*range)? as u64)
                })
            })?;
        }
        if !targets.is_empty() {
            return Ok(Next::Go(Stage::Remove(targets)));
        }
        self.remember(writer)?;
        Ok(match self.removed {
            0 => Next::Done(self.report()),
            _ => Next::Go(Stage::Shrink(Shrinking::default())),
        })
    }

    /// Keeps the time of this sweep for the next start; at most once a day where nothing was removed.
    fn remember(&self, writer: &mut WriteConnection) -> Result<(), Failure> {
        let Expiry::Retention(request) = &self.expiry else {
            return Ok(());
        };
        let last_ms = last_sweep_ms(&writer.connection)
            .map_err(|error| Failure::of_sqlite(&writer.path, "reading the last sweep", error))?;
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

    use aimdb_persistence::{Retention, Rows, StorageErrorKind, SweepRequest};

    use super::*;
    use crate::file::open;
    use crate::options::SqliteBackendBuilder;

    fn batch(times: std::ops::Range<u64>) -> Arc<Rows> {
        let mut batch = Rows::new();
        times.for_each(|at| batch.push("t", at, "\"a value of some length\""));
        Arc::new(batch)
    }

    fn rows(writer: &WriteConnection) -> i64 {
        let count = "SELECT count(*) FROM record_history";
        writer
            .connection
            .query_row(count, [], |r| r.get(0))
            .unwrap()
    }

    #[test]
    fn when_the_file_may_not_grow_a_batch_is_refused_as_a_whole_and_a_sweep_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let options = SqliteBackendBuilder::new(path.clone());
        let connection = open::writer(&path, &options).unwrap();
        let mut writer = WriteConnection::new(connection, path, &options).unwrap();
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
            clock_is_trusted: true,
        });
        let (answer, mut report) = oneshot::channel();
        let mut sweep = Some(Sweep::new(expiry, answer));
        while let Some(under_way) = sweep {
            sweep = under_way.step(&mut writer);
        }
        assert_eq!(report.try_recv().unwrap().unwrap().removed, 9_000);
        assert_eq!(writer.store(&[batch(10_000..11_000)])[0].settled, 1_000);
        assert_eq!(rows(&writer), 2_000);
    }
}
