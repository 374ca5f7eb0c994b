//! `db.restore_persistence()`: the last stored values, back in AimDB after a restart.

use std::any::Any;
use std::sync::Arc;

use aimdb_persistence_backend::{DecodeError, PersistenceError, ReadRequest, Row};
use futures_lite::future::yield_now;

use crate::archive::changes::newest_row_of;
use serde::Serialize;

use crate::archive::event::PersistenceEvent;
use crate::archive::odd_times::OddTime;
use crate::archive::record::RecordState;
use crate::declaration::declared::Restore;
use crate::recorder::recording::Recorder;
use crate::recorder::restoring::Published;
use crate::time::now_ms;

/// What [`restore_persistence`](crate::AimDbQueryExt::restore_persistence) has done: each series that declares `restore`,
/// by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// Each series and what has become of it.
    pub series: Vec<RestoredSeries>,
}

impl RestoreReport {
    /// How many series have their last value back.
    pub fn restored(&self) -> usize {
        let is_restored =
            |series: &&RestoredSeries| matches!(series.outcome, RestoreOutcome::Restored { .. });
        self.series.iter().filter(is_restored).count()
    }

    /// What has become of one series; `None` if it does not declare `restore`.
    pub fn outcome(&self, record_name: &str) -> Option<&RestoreOutcome> {
        let index = self
            .series
            .binary_search_by(|series| (*series.record_name).cmp(record_name));
        index.ok().map(|index| &self.series[index].outcome)
    }
}

/// One series of a [`RestoreReport`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RestoredSeries {
    /// The record's key.
    pub record_name: String,
    /// What has become of it.
    pub outcome: RestoreOutcome,
}

/// Whether a series has its last stored value back, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum RestoreOutcome {
    /// Its last stored value was published.
    Restored {
        /// The value's time, in Unix milliseconds.
        stored_at: u64,
    },
    /// A value has arrived already: a live one, or the one that was restored before.
    HasValue,
    /// Nothing is stored of it.
    Empty,
    /// Its last stored value is older than `restore = "…"` allows.
    TooOld {
        /// The value's time, in Unix milliseconds.
        stored_at: u64,
    },
    /// Its last stored row does not decode as its type. Like every such row, it was also reported and counted.
    Undecodable {
        /// The row's time, in Unix milliseconds.
        stored_at: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing can be published into it.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}

/// Publishes the last stored value of every series that declares `restore` and has no value yet.
///
/// # Errors
/// The backend's, at the first series that cannot be read. What was published before stays.
pub(crate) async fn restore(
    recorder: &Recorder,
    db: &(dyn Any + Sync),
) -> Result<RestoreReport, PersistenceError> {
    recorder.archive().prepare().await?;
    // If one thread runs everything, the tasks that `build()` has started subscribe now.
    yield_now().await;
    let mut report = RestoreReport::default();
    for (record, terms) in recorder.archive().registry().restorable() {
        let outcome = restore_series(recorder, db, &record, terms).await?;
        report.series.push(RestoredSeries {
            record_name: record.name.to_string(),
            outcome,
        });
    }
    Ok(report)
}

async fn restore_series(
    recorder: &Recorder,
    db: &(dyn Any + Sync),
    record: &Arc<RecordState>,
    terms: Restore,
) -> Result<RestoreOutcome, PersistenceError> {
    let refused = |reason: &str| RestoreOutcome::Refused {
        reason: reason.to_owned(),
    };
    if let Some(problem) = record.problem.get() {
        return Ok(refused(problem));
    }
    let Some(restorable) = recorder.intakes().publisher(&record.name) else {
        return Ok(refused(FOREIGN_BUFFER));
    };
    if restorable.has_value() {
        return Ok(RestoreOutcome::HasValue);
    }
    let clock = recorder.archive().clock();
    let newest = newest_row_of(&record.name, u64::MAX);
    let read = async |request: ReadRequest| recorder.backend().read(request).await;
    let mut page = recorder.call(async || read(newest).await).await?;
    if let Some(row) = page.rows.get(0)
        && row.stored_at > clock.latest_ms()
    {
        if record.odd_times.is_first(OddTime::Ahead) {
            let (name, odd) = (&record.name, OddTime::Ahead);
            let event = PersistenceEvent::of_odd_time(clock, name, row.stored_at, odd);
            recorder.report(&event);
        }
        let of_now = newest_row_of(&record.name, clock.latest_ms());
        page = recorder.call(async || read(of_now).await).await?;
    }
    let Some(row) = page.rows.get(0) else {
        return Ok(RestoreOutcome::Empty);
    };
    let stored_at = row.stored_at;
    if is_too_old(stored_at, terms) {
        return Ok(RestoreOutcome::TooOld { stored_at });
    }
    Ok(match restorable.publish(db, row) {
        Published::Restored => RestoreOutcome::Restored { stored_at },
        Published::HasValue => RestoreOutcome::HasValue,
        Published::Refused(reason) => RestoreOutcome::Refused { reason },
        Published::Undecodable(error) => undecodable(recorder, row, &error),
    })
}

fn is_too_old(stored_at: u64, terms: Restore) -> bool {
    match terms {
        Restore::Always => false,
        Restore::NoOlderThan(age_ms) => now_ms().saturating_sub(stored_at) > age_ms,
    }
}

fn undecodable(recorder: &Recorder, row: Row<'_>, error: &DecodeError) -> RestoreOutcome {
    let reason = error.to_string();
    recorder.archive().count_undecodable(1);
    recorder.report(&PersistenceEvent::Undecodable {
        record_name: row.record_name.to_owned(),
        stored_at: row.stored_at,
        reason: format!("it cannot be restored: {reason}"),
    });
    RestoreOutcome::Undecodable {
        stored_at: row.stored_at,
        reason,
    }
}

const FOREIGN_BUFFER: &str = "it has a buffer of its own, into which a restored value cannot be told from a live one: \
                              name the buffer in the declaration (`buffer = \"…\"`), or use `register`";
