//! Packing, and undoing it, as somebody waits for it.

use std::collections::VecDeque;
use std::time::Instant;

use aimdb_persistence_backend::{Order, Pattern, SweepReport};
use rusqlite::Connection;

use crate::chunks::change::unpack;
use crate::chunks::count::Stretch;
use crate::chunks::place::ChunkPlace;
use crate::error::{During, Failure};
use crate::layout::chunk_sql;
use crate::layout::declared::NEVER;
use crate::layout::place::Place;
use crate::options::SqliteBackendBuilder;
use crate::pack::packing::Pass;
use crate::pack::plan::Measure;
use crate::remove::removal::Removal;
use crate::remove::shrink::Shrinking;
use crate::write::connection::{Sync, WriteConnection};

/// Of packed or unpacked rows.
fn report_of(rows: u64) -> SweepReport {
    SweepReport {
        removed: rows,
        ..SweepReport::default()
    }
}

/// Packs every row of some series, whatever its age.
pub(crate) struct PackingNow {
    pattern: Pattern,
    measure: Measure,
    /// The tail is merged first, as far as it reached at the beginning.
    merge_up_to: Option<i64>,
    pass: Pass,
    shrinking: Option<Shrinking>,
}

impl PackingNow {
    pub(crate) fn new(pattern: Pattern, options: &SqliteBackendBuilder) -> Self {
        Self {
            pattern,
            measure: Measure {
                is_forced: true,
                ..Measure::of(options.chunk_rows)
            },
            merge_up_to: None,
            pass: Pass::new(),
            shrinking: None,
        }
    }
}

impl Removal for PackingNow {
    fn step(&mut self, writer: &mut WriteConnection) -> Result<Option<SweepReport>, Failure> {
        let up_to = match self.merge_up_to {
            Some(up_to) => up_to,
            None => {
                let measured = writer.merge.measure(&writer.connection);
                measured.during(writer.path(), "measuring the recent rows")?;
                *self.merge_up_to.insert(writer.merge.tail.newest())
            }
        };
        if !writer.merge_up_to(up_to)? {
            return Ok(None);
        }
        if let Some(shrinking) = self.shrinking.take() {
            self.shrinking = shrinking.step(writer)?;
            let is_done = self.shrinking.is_none();
            return Ok(is_done.then(|| report_of(self.pass.packed)));
        }
        let pattern = &self.pattern;
        let newest_of = |name: &str, declared: Option<i64>| {
            let is_to_pack = pattern.matches(name) && declared != Some(NEVER);
            is_to_pack.then_some(Place::NEWEST)
        };
        let (is_to_wait, told) = (|_, _: &_| false, |_, _: &_, _| {});
        let pass = &mut self.pass;
        if !pass.step(writer, self.measure, newest_of, is_to_wait, told)? {
            self.shrinking = Some(Shrinking::default());
        }
        Ok(None)
    }

    fn not_before(&self) -> Option<Instant> {
        self.shrinking.as_ref().and_then(Shrinking::not_before)
    }
}

/// Is told how many rows are unpacked so far.
pub(crate) type Progress = Box<dyn FnMut(u64) + Send>;

/// Puts the packed rows of some series back among the others.
pub(crate) struct Unpacking {
    pattern: Pattern,
    /// What is left; `None` before the first step.
    series: Option<VecDeque<Stretch>>,
    unpacked: u64,
    progress: Progress,
}

impl Unpacking {
    pub(crate) fn new(pattern: Pattern, progress: Progress) -> Self {
        Self {
            pattern,
            series: None,
            unpacked: 0,
            progress,
        }
    }

    /// The next chunk; `None` behind the last one.
    fn next(&mut self, connection: &Connection) -> rusqlite::Result<Option<ChunkPlace>> {
        let series = match &mut self.series {
            Some(series) => series,
            none => none.insert(selected(connection, &self.pattern)?),
        };
        while let Some(rest) = series.front_mut() {
            if let Some(chunk) = rest.chunk(connection, Order::OldestFirst)? {
                rest.oldest = chunk.last.after();
                return Ok(Some(chunk));
            }
            series.pop_front();
        }
        Ok(None)
    }
}

fn selected(connection: &Connection, pattern: &Pattern) -> rusqlite::Result<VecDeque<Stretch>> {
    let mut all = connection.prepare_cached(chunk_sql::SERIES_AFTER)?;
    let mut all = all.query([i64::MIN])?;
    let mut selected = VecDeque::new();
    while let Some(row) = all.next()? {
        if pattern.matches(row.get_ref(2)?.as_str()?) {
            selected.push_back(Stretch::up_to(row.get(0)?, Place::NEWEST));
        }
    }
    Ok(selected)
}

impl Removal for Unpacking {
    fn step(&mut self, writer: &mut WriteConnection) -> Result<Option<SweepReport>, Failure> {
        let doing = "unpacking rows";
        let next = self.next(&writer.connection);
        let Some(chunk) = next.during(writer.path(), doing)? else {
            return Ok(Some(report_of(self.unpacked)));
        };
        let unpacked = writer.transaction(Sync::Later, doing, |writer| {
            let connection = &writer.connection;
            // Another process may have changed it since.
            let here = Stretch {
                series: chunk.series,
                oldest: chunk.first,
                newest: chunk.last,
            };
            match here.chunk(connection, Order::OldestFirst)? {
                Some(chunk) => unpack(connection, &chunk),
                None => Ok(0),
            }
        })?;
        self.unpacked += unpacked as u64;
        (self.progress)(self.unpacked);
        Ok(None)
    }

    fn not_before(&self) -> Option<Instant> {
        None
    }
}
