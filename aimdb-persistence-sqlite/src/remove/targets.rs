//! What a sweep removes of each series: found in steps, for rows may have to be counted.

use std::collections::VecDeque;

use aimdb_persistence::{Retention, SweepRequest};
use rusqlite::{Connection, OptionalExtension};

use crate::layout::sql;
use crate::layout::tail::{Place, Tail};
use crate::write::declared::FOREVER;

/// Rows removed by one transaction: what a store may have to wait for.
const STEP_ROWS: usize = 500;
/// Series looked at by one step, where none has expired rows.
const STEP_LOOKS: usize = 1_000;
/// Rows passed over by one stride, and how many of them take as long as a look.
const STRIDE_ROWS: u64 = 5_000;
const ROWS_FOR_A_LOOK: u64 = 50;

/// What is to be removed.
pub(crate) enum Expiry {
    /// Per series, by its retention and by how many rows it is to keep.
    Retention(SweepRequest),
    /// Everything before this time.
    Before(u64),
    /// The rows of one series between two times, both inclusive.
    Within(Box<str>, i64, i64),
}

/// Series of which rows may have to go, in no order.
pub(crate) type Targets = VecDeque<Target>;

/// The rows of a series up to a place, which are to be removed together.
pub(crate) type Range = (i64, i64, i64);

pub(crate) struct Target {
    series: i64,
    /// Rows up to here have expired.
    expired: Option<Place>,
    keep_last: u64,
    max_rows: Option<u64>,
    stage: Stage,
}

/// How far it is known what goes.
enum Stage {
    Begin,
    /// On the way to the newest row that need not be kept, of those that have expired.
    Floor(Walk),
    /// On the way to the newest row that is one too many. What has expired goes anyway.
    Cap(Walk, Option<Place>),
    Remove(Option<Place>),
}

/// Finds all series of which something may have to go.
pub(crate) fn targets(connection: &Connection, expiry: &Expiry) -> rusqlite::Result<Targets> {
    let mut series = connection.prepare_cached(sql::RETENTIONS)?;
    let mut series = series.query([])?;
    let mut targets = VecDeque::new();
    while let Some(row) = series.next()? {
        let target = match expiry {
            // Looked for by its key.
            Expiry::Within(..) => break,
            Expiry::Before(cutoff_ms) => Target {
                series: row.get(0)?,
                expired: before(*cutoff_ms),
                keep_last: 0,
                max_rows: None,
                stage: Stage::Begin,
            },
            Expiry::Retention(request) => Target {
                series: row.get(0)?,
                expired: cutoff_ms(request, row.get(1)?).and_then(before),
                keep_last: row.get::<_, i64>(2)?.try_into().unwrap_or(0),
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

/// The last place before a time.
fn before(cutoff_ms: u64) -> Option<Place> {
    let last = cutoff_ms.checked_sub(1)?;
    Some(Place {
        stored_at: i64::try_from(last).unwrap_or(i64::MAX),
        sequence: i64::MAX,
    })
}

/// Whether rows in the tail make a difference to what goes: some have expired, or are among those that are counted.
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
    let mut oldest = connection.prepare_cached(sql::EXPIRED_ROWS)?;
    let (mut ranges, mut room, mut looks) = (Vec::new(), STEP_ROWS, STEP_LOOKS as u64);
    while let Some(target) = targets.front_mut()
        && looks > 0
    {
        looks -= 1;
        let end = match target.advance(connection, &mut looks)? {
            Found::Nothing => {
                targets.pop_front();
                continue;
            }
            Found::NotYet => continue,
            Found::UpTo(end) => end,
        };
        let mut rows = oldest.query((target.series, end.stored_at, end.sequence, room as i64))?;
        let (mut found, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            found += 1;
            last = Some((target.series, row.get(0)?, row.get(1)?));
        }
        ranges.extend(last);
        room -= found;
        if room == 0 {
            break; // there may be more of this series
        }
        targets.pop_front();
    }
    Ok(ranges)
}

enum Found {
    NotYet,
    Nothing,
    UpTo(Place),
}

impl Target {
    /// Finds out a little more of what goes.
    fn advance(&mut self, connection: &Connection, looks: &mut u64) -> rusqlite::Result<Found> {
        let next = match &mut self.stage {
            Stage::Begin => match self.keep_last {
                0 => self.cap(self.expired),
                rows if self.has_expired_rows(connection)? => Stage::Floor(Walk::down(rows)),
                _ => self.cap(None),
            },
            Stage::Floor(walk) => match walk.stride(connection, self.series, looks)? {
                Some(floor) => self.cap(floor.min(self.expired)),
                None => return Ok(Found::NotYet),
            },
            Stage::Cap(walk, expired) => match walk.stride(connection, self.series, looks)? {
                Some(cap) => Stage::Remove(cap.max(*expired)),
                None => return Ok(Found::NotYet),
            },
            Stage::Remove(end) => return Ok(end.map_or(Found::Nothing, Found::UpTo)),
        };
        self.stage = next;
        Ok(Found::NotYet)
    }

    /// What comes when it is known what has expired.
    fn cap(&self, expired: Option<Place>) -> Stage {
        match self.max_rows {
            Some(rows) => Stage::Cap(Walk::down(rows), expired),
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
        let mut oldest = connection.prepare_cached(sql::EXPIRED_ROWS)?;
        oldest.exists((self.series, end.stored_at, end.sequence, 1))
    }
}

/// On the way from a series' newest row down to the one so many rows below it.
pub(crate) struct Walk {
    at: Place,
    left: u64,
}

impl Walk {
    pub(crate) fn down(rows: u64) -> Self {
        Self {
            at: Place::NEWEST,
            left: rows,
        }
    }

    /// `None` while it is not there yet; then the row that it was looking for, if there are so many.
    pub(crate) fn stride(
        &mut self,
        connection: &Connection,
        series: i64,
        looks: &mut u64,
    ) -> rusqlite::Result<Option<Option<Place>>> {
        let rows = self.left.min(STRIDE_ROWS);
        *looks = looks.saturating_sub(rows / ROWS_FOR_A_LOOK);
        let mut row_below = connection.prepare_cached(sql::ROW_BELOW)?;
        let (at, offset) = (self.at, rows.cast_signed());
        let row = row_below
            .query_row((series, at.stored_at, at.sequence, offset), |r| {
                Ok(Place {
                    stored_at: r.get(0)?,
                    sequence: r.get(1)?,
                })
            })
            .optional()?;
        let Some(place) = row else {
            return Ok(Some(None));
        };
        self.left -= rows;
        self.at = place;
        Ok((self.left == 0).then_some(Some(place)))
    }
}
