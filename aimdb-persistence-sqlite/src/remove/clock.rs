//! Whether a sweep believes the wall clock, before anybody has watched it for long.
//!
//! A device may start with a clock that is weeks ahead. So the clock is compared with everything that an earlier run has
//! left: its last sweep, its rows, and the times of its files. It is believed if none of them is long ago. Otherwise it is
//! doubted for a day, across restarts: a run with a wrong clock writes rows and files with wrong times, and the next start
//! would take them for evidence.

use std::time::UNIX_EPOCH;

use aimdb_persistence_backend::Order;
use rusqlite::{Connection, OptionalExtension};

use crate::chunks::count::Stretch;
use crate::chunks::rows::PackedRows;
use crate::error::Failure;
use crate::layout::place::Place;
use crate::layout::sql;
use crate::remove::rows::STEP_SERIES;
use crate::write::connection::{Sync, WriteConnection};

pub(crate) const DAY_MS: u64 = 86_400_000;

/// A history that has not been written for longer than this may be one whose device was off, or whose clock has leapt.
const PLAUSIBLE_GAP_MS: u64 = 2 * DAY_MS;

/// So long a clock is doubted.
const PROBATION_MS: u64 = DAY_MS;

/// What is thought of the clock.
pub(crate) enum Opinion {
    Plausible,
    /// So much time seems to have passed, in milliseconds.
    Doubtful(u64),
    NotYet(Inquiry),
}

/// Looks for what an earlier run left, not long before `now_ms`.
pub(crate) struct Inquiry {
    now_ms: u64,
    /// The latest that is known and does not lie ahead of the clock: a sweep, or the time of a row.
    latest_ms: Option<u64>,
    /// The series up to this one have been looked at.
    series: i64,
}

impl Inquiry {
    pub(crate) fn begin(writer: &mut WriteConnection, now_ms: u64) -> rusqlite::Result<Opinion> {
        let last_ms = last_sweep_ms(&writer.connection)?;
        let inquiry = Self {
            now_ms,
            latest_ms: last_ms.filter(|last_ms| *last_ms <= now_ms),
            series: i64::MIN,
        };
        if let Some(doubted_ms) = read(&writer.connection, sql::CLOCK_DOUBTED)?
            && let Some(since_ms) = now_ms.checked_sub(doubted_ms)
            && since_ms < PROBATION_MS
        {
            return Ok(Opinion::Doubtful(inquiry.gap_ms().unwrap_or(since_ms)));
        }
        if let Some(gap_ms) = written_ms(writer).and_then(|ms| now_ms.checked_sub(ms))
            && gap_ms > PLAUSIBLE_GAP_MS
        {
            return Ok(Opinion::Doubtful(gap_ms));
        }
        if inquiry.is_satisfied() {
            return Ok(Opinion::Plausible);
        }
        writer.merge.measure(&writer.connection)?;
        Ok(Opinion::NotYet(inquiry))
    }

    /// Looks at the newest rows of some series.
    pub(crate) fn go_on(mut self, writer: &WriteConnection) -> rusqlite::Result<Opinion> {
        let mut ids = writer.connection.prepare_cached(sql::SERIES_AFTER)?;
        let mut ids = ids.query((self.series, STEP_SERIES.cast_signed()))?;
        let mut none_left = true;
        while let Some(row) = ids.next()? {
            (self.series, none_left) = (row.get(0)?, false);
            let newest_ms = newest_ms(writer, self.series, self.now_ms)?;
            self.latest_ms = self.latest_ms.max(newest_ms);
            if self.is_satisfied() {
                return Ok(Opinion::Plausible);
            }
        }
        Ok(match (none_left, self.gap_ms()) {
            (false, _) => Opinion::NotYet(self),
            (true, Some(gap_ms)) => Opinion::Doubtful(gap_ms),
            // Nothing to compare with, and nothing of an earlier run to be removed.
            (true, None) => Opinion::Plausible,
        })
    }

    fn gap_ms(&self) -> Option<u64> {
        self.latest_ms.map(|latest_ms| self.now_ms - latest_ms)
    }

    fn is_satisfied(&self) -> bool {
        self.gap_ms()
            .is_some_and(|gap_ms| gap_ms <= PLAUSIBLE_GAP_MS)
    }
}

/// The newest time of the series' rows that does not lie ahead of the clock. Rows of this run say nothing of it.
fn newest_ms(writer: &WriteConnection, series: i64, now_ms: u64) -> rusqlite::Result<Option<u64>> {
    let before_run = writer.sequence_at_opening();
    let now = Place::last_at(i64::try_from(now_ms).unwrap_or(i64::MAX));
    let mut merged = writer.connection.prepare_cached(sql::NEWEST_OF_EARLIER)?;
    let merged = merged.query_row((series, now.stored_at, before_run), |r| r.get(0));
    let merged: Option<i64> = merged.optional()?;
    let tail = &writer.merge.tail;
    let mut in_tail = tail.between(series, Place::first_at(0), now, Order::NewestFirst);
    let in_tail = in_tail.find(|place| place.sequence <= before_run);
    let packed = newest_packed(&writer.connection, series, now, before_run)?;
    let newest = merged.max(packed);
    let newest = newest.max(in_tail.map(|place| place.stored_at));
    Ok(newest.map(|ms| u64::try_from(ms).unwrap_or(0)))
}

/// The same of its packed rows. What is damaged says nothing.
fn newest_packed(
    connection: &Connection,
    series: i64,
    now: Place,
    before_run: i64,
) -> rusqlite::Result<Option<i64>> {
    let mut rest = Stretch::up_to(series, now);
    while let Some(chunk) = rest.chunk(connection, Order::NewestFirst)? {
        if let Ok(rows) = PackedRows::open(connection, &chunk)? {
            let places = rows.places[rows.between(&chunk, rest.oldest, rest.newest)].iter();
            let mut earlier = places.rev().filter(|place| place.sequence <= before_run);
            if let Some(place) = earlier.next() {
                return Ok(Some(place.stored_at));
            }
        }
        rest.newest = chunk.first.before();
    }
    Ok(None)
}

/// Whether an earlier run has left something that lies far ahead of the clock: then it is the clock that is wrong, or was.
pub(crate) fn is_behind(writer: &WriteConnection, now_ms: u64) -> rusqlite::Result<bool> {
    let latest_ms = last_sweep_ms(&writer.connection)?.max(written_ms(writer));
    Ok(latest_ms.is_some_and(|ms| ms > now_ms.saturating_add(PLAUSIBLE_GAP_MS)))
}

/// When the file or its log was last written, before this run opened it.
fn written_ms(writer: &WriteConnection) -> Option<u64> {
    let since_1970 = writer.connection.last_written()?.duration_since(UNIX_EPOCH);
    since_1970.map_or(Some(0), |since| u64::try_from(since.as_millis()).ok())
}

/// Remembers that the clock is doubted since now, unless it is already.
pub(crate) fn doubt(writer: &mut WriteConnection, now_ms: u64) -> Result<(), Failure> {
    writer.transaction(Sync::Later, "noting that the clock is doubted", |writer| {
        let since_ms = read(&writer.connection, sql::CLOCK_DOUBTED)?;
        let elapsed_ms = since_ms.and_then(|since_ms| now_ms.checked_sub(since_ms));
        match elapsed_ms {
            Some(elapsed_ms) if elapsed_ms < PROBATION_MS => Ok(()),
            _ => write(&writer.connection, sql::DOUBT_CLOCK, now_ms),
        }
    })
}

/// Keeps the time of a sweep for the next start; at most once a day where nothing was removed. It only ever moves forward:
/// a device that starts in 1970 has swept later than that.
pub(crate) fn remember_sweep(
    writer: &mut WriteConnection,
    now_ms: u64,
    has_removed: bool,
) -> rusqlite::Result<Option<Remembering>> {
    let last_ms = last_sweep_ms(&writer.connection)?;
    let is_doubted = read(&writer.connection, sql::CLOCK_DOUBTED)?.is_some();
    let moves = match last_ms {
        None => true,
        Some(last_ms) if has_removed => now_ms > last_ms,
        Some(last_ms) => now_ms >= last_ms.saturating_add(DAY_MS),
    };
    Ok((moves || is_doubted).then_some(Remembering {
        last_sweep_ms: moves.then_some(now_ms),
    }))
}

/// What is to be written after a sweep.
pub(crate) struct Remembering {
    last_sweep_ms: Option<u64>,
}

impl Remembering {
    pub(crate) fn write(self, writer: &mut WriteConnection) -> Result<(), Failure> {
        writer.transaction(Sync::Later, "remembering the sweep", |writer| {
            if let Some(now_ms) = self.last_sweep_ms {
                write(&writer.connection, sql::SET_LAST_SWEEP, now_ms)?;
            }
            let mut believe = writer.connection.prepare_cached(sql::BELIEVE_CLOCK)?;
            believe.execute([]).map(drop)
        })
    }
}

fn last_sweep_ms(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    read(connection, sql::LAST_SWEEP)
}

fn read(connection: &Connection, time: &str) -> rusqlite::Result<Option<u64>> {
    let mut time = connection.prepare_cached(time)?;
    let time: Option<i64> = time.query_row([], |r| r.get(0)).optional()?;
    Ok(time.map(|ms| u64::try_from(ms).unwrap_or(0)))
}

fn write(connection: &Connection, time: &str, ms: u64) -> rusqlite::Result<()> {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    connection.prepare_cached(time)?.execute([ms]).map(drop)
}
