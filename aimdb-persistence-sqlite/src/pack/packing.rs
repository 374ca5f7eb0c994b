//! Packing old rows, in steps between commits.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aimdb_persistence_packed::Filling;
use rusqlite::{Connection, OptionalExtension};

use crate::chunks::count::Stretch;
use crate::error::{During, Failure};
use crate::layout::chunk_sql;
use crate::layout::place::Place;
use crate::options::SqliteBackendBuilder;
use crate::pack::plan::{self, Measure, Plan};
use crate::pack::step::{Done, carry_out};
use crate::report;
use crate::write::chore::Chore;
use crate::write::connection::{Sync, WriteConnection};

/// Old rows are looked for so often, if anything was committed.
const PAUSE: Duration = Duration::from_secs(60);
/// A series whose rows take no more room than chunks is not tried again before.
const NO_GAIN_FOR: Duration = Duration::from_secs(3_600);
/// One step looks at so many series.
const STEP_SERIES: usize = 100;

/// Packs series by series what is old enough.
pub(crate) struct Packing {
    /// `None` where only series are packed that say so themselves.
    pack_after_ms: Option<u64>,
    measure: Measure,
    pause: Duration,
    pass: Option<Pass>,
    not_before: Option<Instant>,
    /// The commits of the connection after which the last pass began.
    passed_after: Option<u64>,
    patience: HashMap<i64, Patience>,
}

/// Why a series is left alone.
enum Patience {
    /// It has fewer rows than fill a chunk.
    Rows(usize),
    Until(Instant),
}

/// Once through all series.
pub(crate) struct Pass {
    series: i64,
    /// What is left of the series at hand.
    rows: Option<Stretch>,
    filling: Filling,
    pub(crate) packed: u64,
}

/// What a look at a series has found.
enum Found {
    Plan(Stretch, Plan),
    Nothing,
    /// All series were looked at.
    End,
}

impl Pass {
    pub(crate) fn new() -> Self {
        Self {
            series: i64::MIN,
            rows: None,
            filling: Filling::new(),
            packed: 0,
        }
    }

    /// Goes on to the next series whose rows up to a place may be packed.
    fn look(
        &mut self,
        connection: &Connection,
        measure: Measure,
        newest_of: impl Fn(&str, Option<i64>) -> Option<Place>,
    ) -> rusqlite::Result<Found> {
        let rows = match self.rows {
            Some(rows) => rows,
            None => {
                let mut next = connection.prepare_cached(chunk_sql::SERIES_AFTER)?;
                let read = |r: &rusqlite::Row<'_>| {
                    let name = r.get_ref(2)?.as_str()?;
                    Ok((r.get(0)?, newest_of(name, r.get(1)?)))
                };
                let Some((series, newest)) = next.query_row([self.series], read).optional()? else {
                    return Ok(Found::End);
                };
                self.series = series;
                let Some(newest) = newest else {
                    return Ok(Found::Nothing);
                };
                self.filling = Filling::new();
                Stretch::up_to(series, newest)
            }
        };
        let plan = plan::next(connection, rows, measure)?;
        self.rows = plan.map(|_| rows);
        Ok(plan.map_or(Found::Nothing, |plan| Found::Plan(rows, plan)))
    }

    /// Goes on behind a place of the series at hand.
    fn go_on(&mut self, rows: Stretch, behind: Place) {
        let oldest = behind.after();
        self.rows = Some(Stretch { oldest, ..rows }).filter(|rows| rows.oldest <= rows.newest);
    }

    /// Takes a step; says whether there is another one. `newest_of` says up to where a series is packed, by what it
    /// declares.
    pub(crate) fn step(
        &mut self,
        writer: &mut WriteConnection,
        measure: Measure,
        newest_of: impl Fn(&str, Option<i64>) -> Option<Place>,
        mut is_to_wait: impl FnMut(i64, &Plan) -> bool,
        mut told: impl FnMut(i64, &Plan, Done),
    ) -> Result<bool, Failure> {
        for _ in 0..STEP_SERIES {
            let found = self.look(&writer.connection, measure, &newest_of);
            let (rows, plan) = match found.during(writer.path(), "looking for rows to pack")? {
                Found::End => return Ok(false),
                Found::Nothing => continue,
                Found::Plan(rows, plan) if is_to_wait(rows.series, &plan) => {
                    match plan {
                        Plan::Pack {
                            rows: before,
                            is_bounded: true,
                            ..
                        } => {
                            self.go_on(rows, before.newest);
                        }
                        _ => self.rows = None,
                    }
                    continue;
                }
                Found::Plan(rows, plan) => (rows, plan),
            };
            let filling = &mut self.filling;
            let done = writer.transaction(Sync::Later, "packing rows", |writer| {
                // Another process may have changed what the plan was made of.
                match plan::next(&writer.connection, rows, measure)? {
                    Some(plan) => carry_out(&writer.connection, &plan, filling, measure),
                    None => Ok(Done::Passed(rows.newest)),
                }
            })?;
            told(rows.series, &plan, done);
            match done {
                Done::Packed(count, behind) => {
                    self.packed += count as u64;
                    self.go_on(rows, behind);
                }
                Done::Passed(behind) => self.go_on(rows, behind),
                Done::HasRoom | Done::NoGain => self.rows = None,
            }
            return Ok(true);
        }
        Ok(true)
    }
}

impl Packing {
    pub(crate) fn new(options: &SqliteBackendBuilder) -> Self {
        let pack_after = options.pack_after;
        let pause = match options.chunk_rows {
            Some(_) => Duration::ZERO,
            None => PAUSE,
        };
        Self {
            pack_after_ms: pack_after
                .map(|length| u64::try_from(length.as_millis()).unwrap_or(u64::MAX)),
            measure: Measure::of(options.chunk_rows),
            pause,
            pass: None,
            not_before: Some(Instant::now() + pause),
            passed_after: None,
            patience: HashMap::new(),
        }
    }

    /// Chunks of so many rows are made of everything, at once.
    fn packs_at_once(&self) -> bool {
        self.measure.rows.is_some()
    }

    fn try_step(&mut self, writer: &mut WriteConnection) -> Result<bool, Failure> {
        if self.packs_at_once() {
            if writer.merge.has_appended() {
                let measured = writer.merge.measure(&writer.connection);
                measured.during(writer.path(), "measuring the recent rows")?;
            }
            if !writer.merge.tail_is_merged() {
                writer.merge.want_all();
                return writer.merge_step().map(|()| true);
            }
        }
        let pass = self.pass.get_or_insert_with(Pass::new);
        let (default, packs_at_once) = (self.pack_after_ms, self.measure.rows.is_some());
        let now_ms = now_ms();
        let newest_of = |_: &str, declared: Option<i64>| match (packs_at_once, declared) {
            (true, _) => Some(Place::NEWEST),
            (false, Some(declared)) => before(now_ms, u64::try_from(declared).ok()?),
            (false, None) => before(now_ms, default?),
        };
        let patience = &self.patience;
        let is_to_wait = |series: i64, plan: &Plan| match (patience.get(&series), plan) {
            (Some(Patience::Until(time)), Plan::Pack { .. }) => Instant::now() < *time,
            (
                Some(Patience::Rows(rows)),
                Plan::Pack {
                    count,
                    is_bounded: false,
                    ..
                },
            ) => count < rows,
            _ => false,
        };
        let mut learnt = None;
        let told = |series, plan: &Plan, done| {
            learnt = match (done, plan) {
                (Done::NoGain, _) => Some((series, Patience::Until(Instant::now() + NO_GAIN_FOR))),
                (Done::HasRoom, Plan::Pack { count, .. }) => {
                    Some((series, Patience::Rows(count + 64.max(count / 4))))
                }
                _ => None,
            };
        };
        let is_more = pass.step(writer, self.measure, newest_of, is_to_wait, told)?;
        self.patience.extend(learnt);
        Ok(is_more)
    }

    fn end_pass(&mut self, commits: u64) {
        self.pass = None;
        self.passed_after = Some(commits);
        self.not_before = Some(Instant::now() + self.pause);
    }
}

/// The last place of what is older than so long.
fn before(now_ms: u64, age_ms: u64) -> Option<Place> {
    let last = now_ms.checked_sub(age_ms)?.checked_sub(1)?;
    Some(Place::last_at(i64::try_from(last).unwrap_or(i64::MAX)))
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

impl Chore for Packing {
    fn due(&self, writer: &WriteConnection) -> Option<Instant> {
        if !writer.packs {
            return None;
        }
        if self.pass.is_some() {
            return Some(Instant::now());
        }
        let is_due = self.passed_after != Some(writer.commits());
        is_due.then(|| self.not_before.unwrap_or_else(Instant::now))
    }

    /// Where rows are packed at once, which only tests ask for.
    fn precedes_stores(&self, _writer: &WriteConnection) -> bool {
        self.packs_at_once()
    }

    fn step(&mut self, writer: &mut WriteConnection) {
        match self.try_step(writer) {
            Ok(true) => {}
            Ok(false) => self.end_pass(writer.commits()),
            Err(failure) => {
                report::warn(&format!(
                    "{failure}; no row is lost, and it is tried again later"
                ));
                self.end_pass(writer.commits());
                self.not_before = Some(Instant::now() + PAUSE);
            }
        }
    }
}
