//! Removing rows in small steps between commits.

use std::collections::VecDeque;

use aimdb_persistence_backend::{SweepReport, SweepRequest};

use crate::connect::session::Params;
use crate::error::Failure;
use crate::layout::tables::Tables;
use crate::remove::bounds;
use crate::remove::expired::{self, Expiry, Range, Target};
use crate::report;
use crate::write::recording::{Place, Recording};

const DAY_MS: u64 = 86_400_000;
/// A clock that nobody has watched yet may be so far from the server's.
const PLAUSIBLE_GAP_MS: u64 = 2 * DAY_MS;

/// A store waits for one step at most.
const STEP_ROWS: i64 = 5_000;

/// Only the holder of the source removes rows of it.
const REMOVE: &str = "WITH these AS MATERIALIZED (SELECT h.stored_at, h.sequence FROM $table h \
         WHERE h.source = $1 AND h.series = $3 AND (h.stored_at, h.sequence) >= ($4, $5) AND (h.stored_at, h.sequence) <= ($6, $7) \
             AND EXISTS (SELECT 1 FROM source WHERE id = $1 AND epoch = $2) \
             AND (h.stored_at >= (SELECT visible_from_ms FROM series WHERE source = $1 AND id = $3) \
                 OR h.sequence >= (SELECT visible_sequence FROM series WHERE source = $1 AND id = $3)) \
         ORDER BY h.stored_at, h.sequence LIMIT $8) \
     DELETE FROM $table h USING these \
     WHERE h.source = $1 AND h.series = $3 AND h.stored_at = these.stored_at AND h.sequence = these.sequence";

const SERIES_NAMED: &str = "SELECT id, class, former FROM series WHERE source = $1 AND key = $2";

const SERVER_CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8";

/// A removal under way.
pub(crate) struct Removal {
    stage: Stage,
    report: SweepReport,
    /// It is done when partitions have been looked after.
    is_sweep: bool,
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
        Self {
            stage: Stage::Sweep(expiry),
            report: SweepReport::default(),
            is_sweep: false,
        }
    }

    pub(crate) fn erase(record_name: Box<str>, start: i64, end: i64) -> Self {
        Self {
            stage: Stage::Erase {
                record_name,
                start,
                end,
            },
            report: SweepReport::default(),
            is_sweep: false,
        }
    }

    /// Takes one step; gives the report after the last.
    pub(crate) async fn step(
        &mut self,
        recording: &mut Recording,
    ) -> Result<Option<SweepReport>, Failure> {
        let next = match &mut self.stage {
            Stage::Sweep(expiry) => {
                if let Expiry::Retention(request) = expiry {
                    compare_clocks(recording, request, &mut self.report).await?;
                    if self.report.put_off.is_some() {
                        return Ok(Some(self.report));
                    }
                    bounds::settle_classes(recording, request).await?;
                }
                let mut targets = expired::targets(recording, expiry).await?;
                self.report.removed += bounds::raise(recording, expiry, &mut targets).await?;
                self.is_sweep = matches!(expiry, Expiry::Retention(_));
                Stage::Find(targets.into())
            }
            Stage::Erase {
                record_name,
                start,
                end,
            } => {
                let id = series_named(recording, record_name).await?;
                let range = id.map(|(series, tables)| Range {
                    series,
                    tables,
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
                let (removed, is_all) = remove(recording, range).await?;
                self.report.removed += removed;
                match is_all {
                    true => Stage::Find(std::mem::take(targets)),
                    false => return Ok(None),
                }
            }
        };
        self.stage = next;
        Ok(None)
    }
}

impl Removal {
    async fn done(&self, recording: &mut Recording) -> Result<SweepReport, Failure> {
        if self.is_sweep
            && let Err(failure) = bounds::maintain(recording).await
        {
            // The rows are gone for whoever asks. Their room is given back by a later sweep.
            match failure.is_unanswered() {
                true => return Err(failure),
                false => report::warn(&failure.to_string()),
            }
        }
        Ok(self.report)
    }
}

fn none_left() -> Stage {
    Stage::Find(VecDeque::new())
}

async fn series_named(
    recording: &mut Recording,
    record_name: &str,
) -> Result<Option<(i32, Tables)>, Failure> {
    // No series has such a name, and PostgreSQL no room for one.
    if record_name.contains('\0') {
        return Ok(None);
    }
    let source = recording.source;
    let found = recording
        .session
        .query(
            SERIES_NAMED,
            &[&source, &record_name],
            "looking for a series",
        )
        .await?;
    let named = found.first();
    Ok(named.map(|row| {
        (
            row.get(0),
            Tables::of(row.get(1), &row.get::<_, Vec<i16>>(2)),
        )
    }))
}

/// Says how many rows were removed, and whether none is left.
async fn remove(recording: &mut Recording, range: &Range) -> Result<(u64, bool), Failure> {
    let Recording { source, epoch, .. } = *recording;
    let Range {
        series,
        tables,
        start,
        end,
    } = range;
    let (mut removed, mut is_all) = (0, true);
    for table in tables.each() {
        let these: Params<'_> = &[
            &source,
            &epoch,
            series,
            &start.stored_at,
            &start.sequence,
            &end.stored_at,
            &end.sequence,
            &STEP_ROWS,
        ];
        let sql = REMOVE.replace("$table", table);
        let of_table = recording
            .session
            .execute(&sql, these, "removing rows")
            .await?;
        removed += of_table;
        is_all &= of_table < STEP_ROWS.unsigned_abs();
    }
    Ok((removed, is_all))
}

/// A device may start with a clock that is weeks ahead. Until somebody has watched it for long, the server's clock says whether
/// it can be believed.
async fn compare_clocks(
    recording: &mut Recording,
    request: &SweepRequest,
    report: &mut SweepReport,
) -> Result<(), Failure> {
    let clock = recording
        .session
        .query(SERVER_CLOCK, &[], "comparing the clock with the server's")
        .await?;
    let server_ms = clock.first().map_or(0, |row| row.get::<_, i64>(0));
    let server_ms = u64::try_from(server_ms).unwrap_or(0);
    report.clock_is_behind = server_ms > request.now_ms.saturating_add(PLAUSIBLE_GAP_MS);
    let ahead_ms = request.now_ms.saturating_sub(server_ms);
    report.put_off =
        Some(ahead_ms).filter(|ahead_ms| !request.clock_is_trusted && *ahead_ms > PLAUSIBLE_GAP_MS);
    Ok(())
}
