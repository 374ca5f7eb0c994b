//! Removing the oldest rows of all series, in steps between commits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::time::Instant;
use std::vec;

use aimdb_persistence_backend::Order;
use rusqlite::Connection;

use crate::chunks::change::{Removing, remove_between};
use crate::chunks::count::Stretch;
use crate::chunks::place;
use crate::error::{During, Failure};
use crate::health::Health;
use crate::layout::declared;
use crate::layout::place::Place;
use crate::layout::sql;
use crate::layout::tail::Tail;
use crate::remove::rows::{Descent, STEP_ROWS, STEP_SERIES};
use crate::remove::shrink::Shrinking;
use crate::remove::size::Size;
use crate::write::connection::{Sync, WriteConnection};

/// So many rows of one series are removed together, if those of other series are about as old.
const BLOCK_ROWS: usize = 64;
/// Rows are equally old if their times differ by less than this part of the time that a series spans.
const EQUALLY_OLD: i64 = 256;

/// A series whose oldest row may go, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    oldest: Place,
    series: i64,
    /// Rows up to here may go. The later ones are kept, whatever their age.
    end: Place,
}

type Candidates = BinaryHeap<Reverse<Candidate>>;

/// A removal under way.
pub(crate) struct Eviction {
    size: Size,
    stage: Stage,
    /// Rows are deleted only from the clustered table. If the tail holds old ones, it is merged first.
    is_merged: bool,
}

enum Stage {
    Begin,
    /// Searches the oldest row of each series.
    Search(vec::IntoIter<Kept>, Candidates),
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
    descent: Option<Descent>,
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

    /// The next step is not taken before this time.
    pub(crate) fn not_before(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Shrink(shrinking) => shrinking.not_before(),
            _ => None,
        }
    }

    /// Takes one step; tells `health` of the rows that have gone.
    pub(crate) fn step(
        mut self,
        writer: &mut WriteConnection,
        health: &Health,
    ) -> Result<Evicted, Failure> {
        let doing = "making room for new rows";
        self.stage = match self.stage {
            Stage::Begin => begin(writer).during(writer.path(), doing)?,
            Stage::Search(mut series, mut candidates) => {
                let tail = (!self.is_merged).then_some(&writer.merge.tail);
                let found = search(&writer.connection, tail, &mut series, &mut candidates);
                match found.during(writer.path(), doing)? {
                    Found::OldRowsInTail => Stage::Merge {
                        up_to: writer.merge.tail.newest(),
                    },
                    Found::Clustered if series.as_slice().is_empty() => Stage::Remove(candidates),
                    Found::Clustered => Stage::Search(series, candidates),
                }
            }
            Stage::Merge { up_to } => {
                self.is_merged = writer.merge_up_to(up_to)?;
                match self.is_merged {
                    true => Stage::Begin,
                    false => Stage::Merge { up_to },
                }
            }
            Stage::Remove(mut candidates) => {
                let doing = "removing the oldest rows";
                let removed = writer.transaction(Sync::Later, doing, |writer| {
                    remove_oldest(&writer.connection, self.size, &mut candidates)
                })?;
                health.note_evicted(removed);
                let after = after_removal(&writer.connection, self.size, candidates);
                match after.during(writer.path(), doing)? {
                    ControlFlow::Continue(stage) => stage,
                    ControlFlow::Break(evicted) => return Ok(evicted),
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

fn begin(writer: &mut WriteConnection) -> rusqlite::Result<Stage> {
    writer.merge.measure(&writer.connection)?;
    let series = kept(&writer.connection)?;
    Ok(Stage::Search(series.into_iter(), Candidates::new()))
}

fn after_removal(
    connection: &Connection,
    size: Size,
    candidates: Candidates,
) -> rusqlite::Result<ControlFlow<Evicted, Stage>> {
    let is_enough = size.is_far_from(connection)?;
    Ok(match is_enough {
        true if size.is_exceeded_by(connection)? => {
            ControlFlow::Continue(Stage::Shrink(Shrinking::default()))
        }
        // What is free now will be filled again soon.
        true => ControlFlow::Break(Evicted::Enough),
        false if candidates.is_empty() => ControlFlow::Break(Evicted::All),
        false => ControlFlow::Continue(Stage::Remove(candidates)),
    })
}

fn kept(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    declared::check_all(connection)?;
    let mut series = connection.prepare_cached(sql::RETENTIONS)?;
    let kept = series.query_map([], |row| {
        let rows: i64 = row.get(2)?;
        Ok(Kept {
            series: row.get(0)?,
            rows: rows.try_into().unwrap_or(0),
            descent: None,
        })
    })?;
    kept.collect()
}

enum Found {
    Clustered,
    /// The tail may hold some of the oldest rows.
    OldRowsInTail,
}

fn search(
    connection: &Connection,
    tail: Option<&Tail>,
    series: &mut vec::IntoIter<Kept>,
    candidates: &mut Candidates,
) -> rusqlite::Result<Found> {
    let mut budget = STEP_SERIES;
    while budget > 0
        && let Some(kept) = series.as_mut_slice().first_mut()
    {
        budget -= 1;
        let end = match kept.rows {
            0 => Some(Place::NEWEST),
            rows => {
                let descent = kept
                    .descent
                    .get_or_insert_with(|| Descent::from(i64::MAX, rows));
                match descent.stride(connection, kept.series, &mut budget)? {
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
            return Ok(Found::OldRowsInTail);
        }
        candidates.extend(found);
        series.next();
    }
    Ok(Found::Clustered)
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

/// Removes rows of the series that has the oldest one, up to the oldest row of the next series, and so on. It begins with
/// a single row, because values may be long.
fn remove_oldest(
    connection: &Connection,
    size: Size,
    candidates: &mut Candidates,
) -> rusqlite::Result<u64> {
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
                end.min(Place::last_at(stored_at))
            }
        };
        let last = match place::around(connection, series, oldest)? {
            // Only a chunk that goes as a whole makes room.
            Some(chunk) if chunk.last <= end => chunk.last,
            Some(_) => end,
            None => nth_oldest(connection, series, up_to, block - 1)?.unwrap_or(up_to),
        };
        let oldest = Stretch::up_to(series, last);
        removed += remove_between(connection, oldest, Removing::Expired)?;
        candidates.extend(self::candidate(connection, series, end)?);
        block = BLOCK_ROWS.min(2 * block);
    }
    Ok(removed as u64)
}

/// The oldest row of the series up to `end`, or the one so many rows behind it.
fn nth_oldest(
    connection: &Connection,
    series: i64,
    end: Place,
    n: usize,
) -> rusqlite::Result<Option<Place>> {
    let nth = Stretch::up_to(series, end).nth(connection, Order::OldestFirst, n)?;
    Ok(nth.break_value())
}

fn newest_of(connection: &Connection, series: i64) -> rusqlite::Result<Option<Place>> {
    let newest = Descent::from(i64::MAX, 0).stride(connection, series, &mut 1)?;
    Ok(newest.flatten())
}
