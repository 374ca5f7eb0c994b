//! The expired rows of each series. They are found in steps, because rows may have to be counted.

use std::collections::VecDeque;

use aimdb_persistence_backend::{Retention, SweepRequest};
use rusqlite::Connection;

use crate::chunks::count::Stretch;
use crate::layout::declared::{self, FOREVER};
use crate::layout::place::Place;
use crate::layout::sql;
use crate::layout::tail::Tail;
use crate::remove::rows::{Descent, STEP_ROWS, STEP_SERIES, reach};

/// What is to be removed.
pub(crate) enum Expiry {
    /// Per series, by its retention and by how many rows it is to keep.
    Retention(SweepRequest),
    /// Everything before this time.
    Before(u64),
}

/// Series that may have rows to be removed, in no order.
pub(crate) type Targets = VecDeque<Target>;

/// The rows of a series up to a place, which are to be removed together.
pub(crate) type Range = (i64, Place);

pub(crate) struct Target {
    series: i64,
    /// Rows up to here have expired.
    expired: Option<Place>,
    keep_last: u64,
    /// The newest row of those to keep has this time at most.
    latest_ms: i64,
    max_rows: Option<u64>,
    stage: Stage,
}

/// How much is known of what is to be removed.
enum Stage {
    Begin,
    /// Searches the newest row that need not be kept. Rows have expired.
    Floor(Descent),
    /// Searches the newest row that is one too many. Rows up to the place have expired.
    Cap(Descent, Option<Place>),
    Remove(Option<Place>),
}

/// Finds all series that may have rows to be removed.
pub(crate) fn targets(connection: &Connection, expiry: &Expiry) -> rusqlite::Result<Targets> {
    declared::check_all(connection)?;
    let mut series = connection.prepare_cached(sql::RETENTIONS)?;
    let mut series = series.query([])?;
    let mut targets = VecDeque::new();
    while let Some(row) = series.next()? {
        let target = match expiry {
            Expiry::Before(cutoff_ms) => Target {
                series: row.get(0)?,
                expired: before(*cutoff_ms),
                keep_last: 0,
                latest_ms: i64::MAX,
                max_rows: None,
                stage: Stage::Begin,
            },
            Expiry::Retention(request) => Target {
                series: row.get(0)?,
                expired: cutoff_ms(request, row.get(1)?).and_then(before),
                keep_last: row.get::<_, i64>(2)?.try_into().unwrap_or(0),
                latest_ms: latest_ms(request),
                max_rows: row
                    .get::<_, Option<i64>>(3)?
                    .and_then(|rows| rows.try_into().ok()),
                stage: Stage::Begin,
            },
        };
        if target.expired.is_some() || target.max_rows.is_some() {
            targets.push_back(target);
        }
    }
    Ok(targets)
}

fn cutoff_ms(request: &SweepRequest, retention_ms: Option<i64>) -> Option<u64> {
    let retention = match retention_ms {
        None => request.default_retention,
        Some(FOREVER) => Retention::Forever,
        Some(length) => u64::try_from(length).map_or(Retention::Forever, Retention::Milliseconds),
    };
    retention.cutoff_ms(request.now_ms)
}

fn latest_ms(request: &SweepRequest) -> i64 {
    let latest_ms = request.now_ms.saturating_add(request.max_ahead_ms);
    i64::try_from(latest_ms).unwrap_or(i64::MAX)
}

/// The last place before a time.
fn before(cutoff_ms: u64) -> Option<Place> {
    let last = cutoff_ms.checked_sub(1)?;
    Some(Place::last_at(i64::try_from(last).unwrap_or(i64::MAX)))
}

/// Whether the tail's rows matter to a sweep: some have expired, or count among the rows of a series.
pub(crate) fn concern_tail(
    targets: &Targets,
    tail: &Tail,
    connection: &Connection,
) -> rusqlite::Result<bool> {
    for target in targets {
        let has_expired_rows = target
            .expired
            .is_some_and(|expired| tail.reaches_back_to(target.series, expired.stored_at));
        if has_expired_rows || tail.holds(target.series) && target.counts(connection)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the next step removes.
pub(crate) fn next_ranges(
    connection: &Connection,
    targets: &mut Targets,
) -> rusqlite::Result<Vec<Range>> {
    let (mut ranges, mut room, mut budget) = (Vec::new(), STEP_ROWS, STEP_SERIES);
    while let Some(target) = targets.front_mut()
        && budget > 0
    {
        budget -= 1;
        let end = match target.advance(connection, &mut budget)? {
            Found::Nothing => {
                targets.pop_front();
                continue;
            }
            Found::NotYet => continue,
            Found::UpTo(end) => end,
        };
        let expired = Stretch::up_to(target.series, end);
        if !expired.has_rows(connection)? {
            targets.pop_front();
            continue;
        }
        let reach = reach(connection, expired, room)?;
        ranges.push((target.series, reach.up_to));
        room = room.saturating_sub(reach.cost);
        if reach.is_last {
            targets.pop_front();
        } else {
            // There is more of this series, behind what this step removes.
            break;
        }
        if room == 0 {
            break;
        }
    }
    Ok(ranges)
}

enum Found {
    NotYet,
    Nothing,
    UpTo(Place),
}

impl Target {
    /// Finds out a little more of what is to be removed.
    fn advance(&mut self, connection: &Connection, budget: &mut u64) -> rusqlite::Result<Found> {
        let next = match &mut self.stage {
            Stage::Begin => match self.keep_last {
                0 => self.cap(self.expired),
                rows if self.has_expired_rows(connection)? => {
                    Stage::Floor(Descent::from(self.latest_ms, rows))
                }
                _ => self.cap(None),
            },
            Stage::Floor(descent) => match descent.stride(connection, self.series, budget)? {
                Some(floor) => self.cap(floor.min(self.expired)),
                None => return Ok(Found::NotYet),
            },
            Stage::Cap(descent, expired) => {
                match descent.stride(connection, self.series, budget)? {
                    Some(cap) => Stage::Remove(cap.max(*expired)),
                    None => return Ok(Found::NotYet),
                }
            }
            Stage::Remove(end) => return Ok(end.map_or(Found::Nothing, Found::UpTo)),
        };
        self.stage = next;
        Ok(Found::NotYet)
    }

    /// The next stage when it is known what has expired.
    fn cap(&self, expired: Option<Place>) -> Stage {
        match self.max_rows {
            Some(rows) => Stage::Cap(Descent::from(i64::MAX, rows), expired),
            None => Stage::Remove(expired),
        }
    }

    /// Whether it makes a difference how many rows there are.
    fn counts(&self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(self.max_rows.is_some() || self.keep_last > 0 && self.has_expired_rows(connection)?)
    }

    fn has_expired_rows(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let Some(end) = self.expired else {
            return Ok(false);
        };
        Stretch::up_to(self.series, end).has_rows(connection)
    }
}
