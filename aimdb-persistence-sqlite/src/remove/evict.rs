//! Keeping the file within its size: the oldest rows go first, in steps between commits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;
use std::vec;

use rusqlite::{Connection, OptionalExtension};

use crate::error::Failure;
use crate::layout::sql;
use crate::layout::tail::{Place, Tail};
use crate::remove::limit::Size;
use crate::remove::shrink::Shrinking;
use crate::remove::targets::Walk;
use crate::threads::keeper::Health;
use crate::write::connection::{Sync, WriteConnection};

/// Rows removed by one transaction: what a store may have to wait for.
const STEP_ROWS: usize = 500;
/// Series looked at by one step.
const STEP_LOOKS: u64 = 1_000;
/// Rows of one series that are removed together, where others have hardly older ones.
const BLOCK_ROWS: usize = 64;
/// Rows whose times lie closer than this part of what a history spans are equally old.
const EQUALLY_OLD: i64 = 256;

/// A series whose oldest row may go, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    oldest: Place,
    series: i64,
    /// Rows up to here, those beyond are to be kept whatever their age.
    end: Place,
}

type Candidates = BinaryHeap<Reverse<Candidate>>;

/// A removal under way.
pub(crate) struct Eviction {
    size: Size,
    stage: Stage,
    /// Only the clustered table gives rows up, so the tail is merged first where it holds old ones.
    is_merged: bool,
}

enum Stage {
    Begin,
    /// Looking for the oldest row of each series.
    Look(vec::IntoIter<Kept>, Candidates),
    Merge {
        up_to: i64,
    },
    Remove(Candidates),
    Shrink(Shrinking),
}

/// A series and how many of its rows are kept.
struct Kept {
    series: i64,
    rows: u64,
    walk: Option<Walk>,
}

/// What has become of an eviction after a step.
pub(crate) enum Evicted {
    NotYet(Eviction),
    Enough,
    /// There is nothing more to remove.
    All,
}

impl Eviction {
    pub(crate) fn begin(size: Size) -> Self {
        Self {
            size,
            stage: Stage::Begin,
            is_merged: false,
        }
    }

    /// When the next step may be taken, if not at once.
    pub(crate) fn next_step_at(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Shrink(shrinking) => shrinking.next_step_at(),
            _ => None,
        }
    }

    /// Takes one step; tells `health` of the rows that have gone.
    pub(crate) fn step(
        mut self,
        writer: &mut WriteConnection,
        health: &Health,
    ) -> Result<Evicted, Failure> {
        let path = writer.path.clone();
        let failed = |error| Failure::of_sqlite(&path, "making room for new rows", error);
        self.stage = match self.stage {
            Stage::Begin => {
                writer.merge.look(&writer.connection).map_err(failed)?;
                let series = kept(&writer.connection).map_err(failed)?;
                Stage::Look(series.into_iter(), Candidates::new())
            }
            Stage::Look(mut series, mut candidates) => {
                let tail = (!self.is_merged).then_some(&writer.merge.tail);
                let looked = look(&writer.connection, tail, &mut series, &mut candidates);
                match looked.map_err(failed)? {
                    Looked::OldRowsInTail => Stage::Merge {
                        up_to: writer.merge.tail.newest(),
                    },
                    Looked::Clustered if series.as_slice().is_empty() => Stage::Remove(candidates),
                    Looked::Clustered => Stage::Look(series, candidates),
                }
            }
            Stage::Merge { up_to } if !writer.merge.has_settled(up_to) => {
                writer.merge.want_all();
                writer.merge_step()?;
                Stage::Merge { up_to }
            }
            Stage::Merge { .. } => {
                self.is_merged = true;
                Stage::Begin
            }
            Stage::Remove(mut candidates) => {
                let doing = "removing the oldest rows";
                let removed = writer.transaction(Sync::Later, doing, |writer| {
                    remove_oldest(&writer.connection, self.size, &mut candidates)
                })?;
                health.note_evicted(removed);
                let connection = &writer.connection;
                let enough = self.size.is_far_from(connection).map_err(failed)?;
                if !enough && !candidates.is_empty() {
                    Stage::Remove(candidates)
                } else if enough && self.size.is_exceeded_by(connection).map_err(failed)? {
                    Stage::Shrink(Shrinking::default())
                } else {
                    // What is free now will be filled again soon.
                    return Ok(if enough {
                        Evicted::Enough
                    } else {
                        Evicted::All
                    });
                }
            }
            Stage::Shrink(shrinking) => match shrinking.step(writer)? {
                Some(rest) => Stage::Shrink(rest),
                None => return Ok(Evicted::Enough),
            },
        };
        Ok(Evicted::NotYet(self))
    }
}

fn kept(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut series = connection.prepare_cached(sql::RETENTIONS)?;
    let kept = series.query_map([], |row| {
        let rows: i64 = row.get(2)?;
        Ok(Kept {
            series: row.get(0)?,
            rows: rows.try_into().unwrap_or(0),
            walk: None,
        })
    })?;
    kept.collect()
}

enum Looked {
    Clustered,
    /// Some of those that are to go may be there.
    OldRowsInTail,
}

fn look(
    connection: &Connection,
    tail: Option<&Tail>,
    series: &mut vec::IntoIter<Kept>,
    candidates: &mut Candidates,
) -> rusqlite::Result<Looked> {
    let mut looks = STEP_LOOKS;
    while looks > 0
        && let Some(kept) = series.as_mut_slice().first_mut()
    {
        looks -= 1;
        let end = match kept.rows {
            0 => Some(Place::NEWEST),
            rows => {
                let walk = kept.walk.get_or_insert_with(|| Walk::down(rows));
                match walk.stride(connection, kept.series, &mut looks)? {
                    Some(end) => end,
                    None => continue,
                }
            }
        };
        let found = match end {
            Some(end) => candidate(connection, kept.series, end)?,
            None => None,
        };
        let is_in_tail = |tail: &Tail| match &found {
            Some(Reverse(found)) => tail.reaches_back_to(kept.series, found.oldest.stored_at),
            None => tail.holds(kept.series),
        };
        if tail.is_some_and(is_in_tail) {
            return Ok(Looked::OldRowsInTail);
        }
        candidates.extend(found);
        series.next();
    }
    Ok(Looked::Clustered)
}

fn candidate(
    connection: &Connection,
    series: i64,
    end: Place,
) -> rusqlite::Result<Option<Reverse<Candidate>>> {
    let oldest = nth_oldest(connection, series, end, 0)?;
    Ok(oldest.map(|oldest| {
        Reverse(Candidate {
            oldest,
            series,
            end,
        })
    }))
}

fn nth_oldest(
    connection: &Connection,
    series: i64,
    end: Place,
    n: usize,
) -> rusqlite::Result<Option<Place>> {
    let mut row = connection.prepare_cached(sql::NTH_OLDEST)?;
    let place = |r: &rusqlite::Row<'_>| {
        Ok(Place {
            stored_at: r.get(0)?,
            sequence: r.get(1)?,
        })
    };
    row.query_row((series, end.stored_at, end.sequence, n as i64), place)
        .optional()
}

/// Removes rows of the series with the oldest one, up to the oldest row of the next, and so on. Values may be long, so
/// it begins with a single row.
fn remove_oldest(
    connection: &Connection,
    size: Size,
    candidates: &mut Candidates,
) -> rusqlite::Result<u64> {
    let mut remove = connection.prepare_cached(sql::REMOVE_UP_TO)?;
    let mut remove_large = connection.prepare_cached(sql::REMOVE_LARGE_UP_TO)?;
    let (mut removed, mut block) = (0, 1);
    while removed < STEP_ROWS
        && !size.is_far_from(connection)?
        && let Some(Reverse(candidate)) = candidates.pop()
    {
        let Candidate {
            oldest,
            series,
            end,
        } = candidate;
        let up_to = match candidates.peek() {
            None => end,
            Some(Reverse(next)) => {
                let newest = newest_of(connection, series)?.unwrap_or(next.oldest);
                let span = newest.stored_at.saturating_sub(oldest.stored_at);
                let stored_at = next.oldest.stored_at.saturating_add(span / EQUALLY_OLD);
                end.min(Place {
                    stored_at,
                    sequence: i64::MAX,
                })
            }
        };
        let last = match nth_oldest(connection, series, up_to, block - 1)? {
            Some(last) => last,
            None => up_to,
        };
        let range = (series, last.stored_at, last.sequence);
        remove_large.execute(range)?;
        removed += remove.execute(range)?;
        candidates.extend(self::candidate(connection, series, end)?);
        block = BLOCK_ROWS.min(2 * block);
    }
    Ok(removed as u64)
}

fn newest_of(connection: &Connection, series: i64) -> rusqlite::Result<Option<Place>> {
    let mut walk = Walk::down(0);
    Ok(walk.stride(connection, series, &mut 1)?.flatten())
}
