//! Erasing the rows of one series between two times, in small steps between commits.

use std::time::Instant;

use aimdb_persistence_backend::SweepReport;
use rusqlite::OptionalExtension;

use crate::chunks::change::{Removing, remove_between};
use crate::chunks::count::Stretch;
use crate::error::{During, Failure};
use crate::layout::place::Place;
use crate::layout::sql;
use crate::remove::removal::Removal;
use crate::remove::rows::{STEP_ROWS, reach};
use crate::remove::shrink::Shrinking;
use crate::write::connection::{Sync, WriteConnection};

/// An erasure under way.
pub(crate) struct Erasure {
    record_name: Box<str>,
    /// Both inclusive.
    start: i64,
    end: i64,
    stage: Stage,
    removed: u64,
}

#[derive(Default)]
enum Stage {
    #[default]
    Begin,
    /// Rows are deleted only from the clustered table. If the tail holds rows of the series, it is merged first, as far
    /// as it reached at the beginning.
    Merge {
        series: i64,
        up_to: i64,
    },
    Remove {
        series: i64,
    },
    Shrink(Shrinking),
    Done,
}

impl Erasure {
    pub(crate) fn new(record_name: &str, start: i64, end: i64) -> Self {
        Self {
            record_name: record_name.into(),
            start,
            end,
            stage: Stage::Begin,
            removed: 0,
        }
    }

    fn begin(&self, writer: &mut WriteConnection) -> rusqlite::Result<Stage> {
        let mut id = writer.connection.prepare_cached(sql::SERIES_ID)?;
        let series: Option<i64> = id.query_row([&self.record_name], |r| r.get(0)).optional()?;
        drop(id);
        writer.merge.measure(&writer.connection)?;
        let tail = &writer.merge.tail;
        Ok(match series {
            None => Stage::Done,
            Some(series) if tail.holds(series) => Stage::Merge {
                series,
                up_to: tail.newest(),
            },
            Some(series) => Stage::Remove { series },
        })
    }

    fn remove(&mut self, series: i64, writer: &mut WriteConnection) -> Result<Stage, Failure> {
        let (start, end) = (self.start, self.end);
        let (removed, is_last) = writer.transaction(Sync::Later, "deleting rows", |writer| {
            let connection = &writer.connection;
            let all = Stretch {
                series,
                oldest: Place::first_at(start),
                newest: Place::last_at(end),
            };
            let reach = reach(connection, all, STEP_ROWS)?;
            let newest = reach.up_to;
            let removed = remove_between(connection, Stretch { newest, ..all }, Removing::Erased)?;
            Ok((removed, reach.is_last))
        })?;
        self.removed += removed as u64;
        Ok(match (is_last, self.removed) {
            (false, _) => Stage::Remove { series },
            (true, 0) => Stage::Done,
            (true, _) => Stage::Shrink(Shrinking::default()),
        })
    }
}

impl Removal for Erasure {
    fn step(&mut self, writer: &mut WriteConnection) -> Result<Option<SweepReport>, Failure> {
        let doing = "deleting rows";
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Begin => {
                let begun = self.begin(writer);
                begun.during(writer.path(), doing)?
            }
            Stage::Merge { series, up_to } => match writer.merge_up_to(up_to)? {
                true => self.remove(series, writer)?,
                false => Stage::Merge { series, up_to },
            },
            Stage::Remove { series } => self.remove(series, writer)?,
            Stage::Shrink(shrinking) => {
                let rest = shrinking.step(writer)?;
                rest.map_or(Stage::Done, Stage::Shrink)
            }
            Stage::Done => Stage::Done,
        };
        Ok(matches!(self.stage, Stage::Done).then_some(SweepReport {
            removed: self.removed,
            ..SweepReport::default()
        }))
    }

    fn not_before(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Shrink(shrinking) => shrinking.not_before(),
            _ => None,
        }
    }
}
