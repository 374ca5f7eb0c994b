//! Removing rows in small steps between commits.

use std::collections::VecDeque;

use aimdb_persistence_backend::{SweepReport, SweepRequest};

use crate::error::Failure;
use crate::remove::expired::{self, Expiry, Range, Target};
use crate::write::recording::{Place, Recording};

const DAY_MS: u64 = 86_400_000;
/// A first sweep that finds more time passed than this since the last one needs a trusted clock.
const PLAUSIBLE_GAP_MS: u64 = 30 * DAY_MS;

/// A store waits for one step at most.
const STEP_ROWS: i64 = 5_000;

/// Only the holder of the source removes rows of it.
const REMOVE: &str = "WITH these AS MATERIALIZED (SELECT h.stored_at, h.sequence FROM history h \
         WHERE h.source = $1 AND h.series = $3 AND (h.stored_at, h.sequence) >= ($4, $5) AND (h.stored_at, h.sequence) <= ($6, $7) \
             AND EXISTS (SELECT 1 FROM source WHERE id = $1 AND epoch = $2) \
         ORDER BY h.stored_at, h.sequence LIMIT $8) \
     DELETE FROM history h USING these \
     WHERE h.source = $1 AND h.series = $3 AND h.stored_at = these.stored_at AND h.sequence = these.sequence";

const SERIES_ID: &str = "SELECT id FROM series WHERE source = $1 AND key = $2";

const LAST_SWEEP: &str = "SELECT last_sweep_ms FROM source WHERE id = $1";

const SET_LAST_SWEEP: &str = "UPDATE source SET last_sweep_ms = $3 WHERE id = $1 AND epoch = $2";

/// A removal under way.
pub(crate) struct Removal {
    stage: Stage,
    /// Of a sweep.
    request: Option<SweepRequest>,
    removed: u64,
}

enum Stage {
    Sweep(Expiry),
    Erase {
        record_name: Box<str>,
        start: i64,
        end: i64,
    },
    Find(VecDeque<Target>),
    Remove(Range, VecDeque<Target>),
}

impl Removal {
    pub(crate) fn sweep(expiry: Expiry) -> Self {
        let request = match expiry {
            Expiry::Retention(request) => Some(request),
            Expiry::Before(_) => None,
        };
        Self {
            stage: Stage::Sweep(expiry),
            request,
            removed: 0,
        }
    }

    pub(crate) fn erase(record_name: Box<str>, start: i64, end: i64) -> Self {
        Self {
            stage: Stage::Erase {
                record_name,
                start,
                end,
            },
            request: None,
            removed: 0,
        }
    }

    /// Takes one step; gives the report after the last.
    pub(crate) async fn step(
        &mut self,
        recording: &mut Recording,
    ) -> Result<Option<SweepReport>, Failure> {
        let next = match &mut self.stage {
            Stage::Sweep(expiry) => {
                if let Some(gap_ms) = implausible_gap(recording, expiry).await? {
                    return Ok(Some(SweepReport {
                        removed: 0,
                        put_off: Some(gap_ms),
                    }));
                }
                Stage::Find(expired::targets(recording, expiry).await?.into())
            }
            Stage::Erase {
                record_name,
                start,
                end,
            } => {
                let id = series_named(recording, record_name).await?;
                let range = id.map(|series| Range {
                    series,
                    start: Place::first_at(*start),
                    end: Place::last_at(*end),
                });
                range.map_or_else(none_left, |range| Stage::Remove(range, VecDeque::new()))
            }
            Stage::Find(targets) => {
                let Some(target) = targets.pop_front() else {
                    return self.done(recording).await.map(Some);
                };
                match target.range(recording).await? {
                    Some(range) => Stage::Remove(range, std::mem::take(targets)),
                    None => Stage::Find(std::mem::take(targets)),
                }
            }
            Stage::Remove(range, targets) => {
                let removed = remove(recording, range).await?;
                self.removed += removed;
                match removed < STEP_ROWS.unsigned_abs() {
                    true => Stage::Find(std::mem::take(targets)),
                    false => return Ok(None),
                }
            }
        };
        self.stage = next;
        Ok(None)
    }

    async fn done(&self, recording: &mut Recording) -> Result<SweepReport, Failure> {
        if let Some(request) = &self.request {
            let now_ms = i64::try_from(request.now_ms).unwrap_or(i64::MAX);
            let Recording { source, epoch, .. } = *recording;
            recording
                .session
                .execute(
                    SET_LAST_SWEEP,
                    &[&source, &epoch, &now_ms],
                    "remembering the sweep",
                )
                .await?;
        }
        Ok(SweepReport {
            removed: self.removed,
            put_off: None,
        })
    }
}

fn none_left() -> Stage {
    Stage::Find(VecDeque::new())
}

async fn series_named(
    recording: &mut Recording,
    record_name: &str,
) -> Result<Option<i32>, Failure> {
    // No series has such a name, and PostgreSQL no room for one.
    if record_name.contains('\0') {
        return Ok(None);
    }
    let source = recording.source;
    let found = recording
        .session
        .query(SERIES_ID, &[&source, &record_name], "looking for a series")
        .await?;
    Ok(found.first().map(|row| row.get(0)))
}

async fn remove(recording: &mut Recording, range: &Range) -> Result<u64, Failure> {
    let Recording { source, epoch, .. } = *recording;
    let Range { series, start, end } = range;
    recording
        .session
        .execute(
            REMOVE,
            &[
                &source,
                &epoch,
                series,
                &start.stored_at,
                &start.sequence,
                &end.stored_at,
                &end.sequence,
                &STEP_ROWS,
            ],
            "removing rows",
        )
        .await
}

/// More time than is plausible seems to have passed since the last sweep, and the clock has not been seen to run evenly.
async fn implausible_gap(
    recording: &mut Recording,
    expiry: &Expiry,
) -> Result<Option<u64>, Failure> {
    let Expiry::Retention(request) = expiry else {
        return Ok(None);
    };
    if request.clock_is_trusted {
        return Ok(None);
    }
    let source = recording.source;
    let last = recording
        .session
        .query(LAST_SWEEP, &[&source], "reading the last sweep")
        .await?;
    let last_ms: Option<i64> = last.first().and_then(|row| row.get(0));
    let last_ms = last_ms.and_then(|last_ms| u64::try_from(last_ms).ok());
    let gap_ms = last_ms.and_then(|last_ms| request.now_ms.checked_sub(last_ms));
    Ok(gap_ms.filter(|gap_ms| *gap_ms > PLAUSIBLE_GAP_MS))
}
