//! Checking a whole file, in steps: SQLite's own structure, every checksum, every long value, and how many rows there are.

use rusqlite::{Connection, OptionalExtension};

use crate::chunks::place::{self, ChunkPlace};
use crate::chunks::rows::PackedRows;
use crate::error::is_corrupt;
use crate::layout::chunk_sql;
use crate::layout::large::LARGE_BYTES;
use crate::layout::place::RowKey;
use crate::layout::seal;
use crate::layout::sql;
use crate::layout::state::State;

/// Of problems so many are put in words.
const MOST_LISTED: usize = 100;
/// Rows of one step: some milliseconds, during which the log cannot start over.
const STEP_ROWS: i64 = 5_000;
/// Chunks of one step.
const STEP_CHUNKS: i64 = 8;

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// Rows that were checked.
    pub rows: u64,
    /// How many problems there are.
    pub problems: u64,
    /// The first hundred of them, in words.
    pub first: Vec<String>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems == 0
    }

    fn note(&mut self, problem: impl FnOnce() -> String) {
        self.problems += 1;
        if self.first.len() < MOST_LISTED {
            self.first.push(problem());
        }
    }
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckProgress {
    /// Rows that were checked so far. The structure of the file is checked before the first one.
    pub rows: u64,
    /// How many there are about, from what the file notes.
    pub of_rows: u64,
}

/// A check under way.
pub(crate) struct Checking {
    stage: Stage,
    pub(crate) report: CheckReport,
    of_rows: u64,
    /// Whether rows are counted, too. Another program may have deleted some, which is no damage.
    counts: bool,
}

enum Stage {
    Structure,
    Tables,
    /// The clustered rows behind this one.
    Rows(RowKey),
    /// The tail behind this sequence.
    Tail(i64),
    /// The packed rows behind this chunk.
    Chunks(RowKey),
    /// How many rows the series behind this one has.
    Counts(i64),
    Done,
}

impl Checking {
    /// Of everything.
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::Structure,
            report: CheckReport::default(),
            of_rows: 0,
            counts: true,
        }
    }

    /// Of all but how many rows there are.
    pub(crate) fn for_damage() -> Self {
        Self {
            counts: false,
            ..Self::new()
        }
    }

    pub(crate) fn progress(&self) -> CheckProgress {
        CheckProgress {
            rows: self.report.rows,
            of_rows: self.of_rows.max(self.report.rows),
        }
    }

    /// Checks a part of the file; says whether that was the last one. Each step is of one moment of its own.
    ///
    /// # Errors
    /// If the file cannot be read: it may be sound all the same.
    pub(crate) fn step(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        self.stage = match self.stage {
            Stage::Structure => self.structure(connection)?,
            Stage::Tables => self.tables(connection)?,
            Stage::Rows(after) => self.rows(connection, after)?,
            Stage::Tail(after) => self.tail(connection, after)?,
            Stage::Chunks(after) => self.chunks(connection, after)?,
            Stage::Counts(_) if !self.counts => Stage::Done,
            Stage::Counts(after) => self.counts(connection, after)?,
            Stage::Done => Stage::Done,
        };
        Ok(matches!(self.stage, Stage::Done))
    }

    fn structure(&mut self, connection: &Connection) -> rusqlite::Result<Stage> {
        let mut check = connection.prepare("PRAGMA integrity_check(100)")?;
        let mut found = check.query([])?;
        while let Some(row) = found.next()? {
            let problem: String = row.get(0)?;
            if problem != "ok" {
                self.report.note(|| problem);
            }
        }
        Ok(Stage::Tables)
    }

    fn tables(&mut self, connection: &Connection) -> rusqlite::Result<Stage> {
        State::read(connection)?;
        let damaged: i64 = connection.query_row(sql::DAMAGED_SERIES, [], |r| r.get(0))?;
        if damaged > 0 {
            let what = || format!("{damaged} series are not as they were written");
            self.report.note(what);
        }
        let rows = "SELECT (SELECT coalesce(sum(rows), 0) FROM last_stored) + (SELECT count(*) FROM tail) \
             + (SELECT coalesce(sum(rows - skip), 0) FROM chunk_place)";
        let rows: i64 = connection.query_row(rows, [], |r| r.get(0))?;
        self.of_rows = u64::try_from(rows).unwrap_or(0);
        Ok(Stage::Rows(RowKey::BEFORE_ALL))
    }

    fn rows(&mut self, connection: &Connection, after: RowKey) -> rusqlite::Result<Stage> {
        let mut rows = connection.prepare_cached(sql::ROWS_TO_CHECK)?;
        let place = after.place;
        let from = (after.series, place.stored_at, place.sequence, STEP_ROWS);
        let last = self.verify(rows.query(from)?)?;
        Ok(last.map_or(Stage::Tail(i64::MIN), Stage::Rows))
    }

    fn tail(&mut self, connection: &Connection, after: i64) -> rusqlite::Result<Stage> {
        let mut rows = connection.prepare_cached(sql::TAIL_TO_CHECK)?;
        let last = self.verify(rows.query((after, STEP_ROWS))?)?;
        Ok(last.map_or(Stage::Chunks(RowKey::BEFORE_ALL), |last| {
            Stage::Tail(last.place.sequence)
        }))
    }

    /// Gives the key of the last one.
    fn verify(&mut self, mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<Option<RowKey>> {
        let mut last: Option<RowKey> = None;
        while let Some(row) = rows.next()? {
            let key = RowKey::new(row.get(0)?, row.get(1)?, row.get(2)?);
            let seal: i64 = row.get(3)?;
            let (within, apart) = (
                row.get_ref(4)?.as_bytes_or_null()?,
                row.get_ref(5)?.as_bytes_or_null()?,
            );
            let series = || row.get::<_, Option<String>>(6).ok().flatten();
            let of = || match series() {
                Some(series) => format!("record `{series}`"),
                None => format!("a series without a name ({})", key.series),
            };
            let at = key.place.stored_at;
            self.report.rows += 1;
            match within.or(apart) {
                None => self.report.note(|| {
                    format!(
                        "the value of {} at {at} ms is missing, which lies apart",
                        of()
                    )
                }),
                Some(json) if seal::opened(key, seal, json).is_none() => self
                    .report
                    .note(|| format!("the row of {} at {at} ms is not as it was written", of())),
                Some(json) if within.is_some() != (json.len() <= LARGE_BYTES) => {
                    self.report.note(|| {
                        format!("the value of {} at {at} ms lies in the wrong place", of())
                    });
                }
                Some(_) if series().is_none() => {
                    self.report
                        .note(|| format!("a row at {at} ms is of no series"));
                }
                Some(_) => {}
            }
            last = Some(key);
        }
        Ok(last)
    }

    /// Every packed row is decoded, and the chunks of a series may not overlap.
    fn chunks(&mut self, connection: &Connection, after: RowKey) -> rusqlite::Result<Stage> {
        let mut places = connection.prepare_cached(chunk_sql::PLACES_TO_CHECK)?;
        let from = (after.series, after.place.stored_at, after.place.sequence);
        let mut places = places.query((from.0, from.1, from.2, STEP_CHUNKS))?;
        let mut last: Option<RowKey> = None;
        while let Some(row) = places.next()? {
            last = Some(RowKey::new(row.get(0)?, row.get(1)?, row.get(2)?));
            match ChunkPlace::read(row) {
                Ok(place) => self.chunk(connection, &place)?,
                Err(error) if is_corrupt(&error) => self.report.note(|| error.to_string()),
                Err(error) => return Err(error),
            }
        }
        if let Some(last) = last {
            return Ok(Stage::Chunks(last));
        }
        let stray: i64 = connection.query_row(chunk_sql::STRAY_CHUNKS, [], |r| r.get(0))?;
        if stray > 0 {
            let what = || format!("nothing leads to {stray} chunks of packed rows");
            self.report.note(what);
        }
        Ok(Stage::Counts(i64::MIN))
    }

    fn chunk(&mut self, connection: &Connection, place: &ChunkPlace) -> rusqlite::Result<()> {
        match PackedRows::open(connection, place)? {
            Ok(rows) => {
                if let Err(error) = rows.texts(rows.counted(place)) {
                    let at = place.first.stored_at;
                    self.report
                        .note(|| format!("packed rows from {at} ms on cannot be read: {error}"));
                }
            }
            Err(what) => self.report.note(|| what),
        }
        self.report.rows += u64::try_from(place.counted()).unwrap_or(0);
        let next = place::after(connection, place.series, place.first)?;
        if next.is_some_and(|next| next.first <= place.last) {
            let at = place.last.stored_at;
            self.report
                .note(|| format!("two chunks of packed rows overlap at {at} ms"));
        }
        let mut name = connection.prepare_cached(sql::NAME_OF_SERIES)?;
        if !name.exists([place.series])? {
            let at = place.first.stored_at;
            self.report
                .note(|| format!("packed rows from {at} ms on are of no series"));
        }
        Ok(())
    }

    fn counts(&mut self, connection: &Connection, after: i64) -> rusqlite::Result<Stage> {
        let mut counts = connection.prepare_cached(sql::ROWS_COUNTED)?;
        let read =
            |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?));
        let Some((series, noted, found)) = counts.query_row([after], read).optional()? else {
            return Ok(Stage::Done);
        };
        if noted != found {
            let name = connection
                .query_row(sql::NAME_OF_SERIES, [series], |r| r.get::<_, String>(0))
                .optional()?;
            self.report.note(|| {
                let name = name.unwrap_or_default();
                format!(
                    "of {noted} rows of record `{name}` {found} are found among the clustered ones"
                )
            });
        }
        Ok(Stage::Counts(series))
    }
}
