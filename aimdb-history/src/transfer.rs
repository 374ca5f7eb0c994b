//! The verified move of a history from one backend to another.

mod copying;
mod plan;
mod sums;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use aimdb_persistence::Ask;
use aimdb_persistence_backend::{OnDuplicate, Pattern, ReadRequest};
use serde::Serialize;

pub use self::plan::{Plan, PlannedSeries, plan};
pub use self::sums::Sums;
use crate::error::HistoryError;
use crate::location::OpenHistory;
use crate::transfer::copying::{Copied, copy_missing, copy_new};
use crate::transfer::sums::sums;

/// What becomes of a series of which the target has rows that the source has not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Others {
    /// The transfer is refused, before anything is written.
    #[default]
    Refuse,
    /// The rows of both are in the target.
    Merge,
}

/// How far a transfer has come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferProgress {
    /// A series is compared with what the target has.
    Comparing(String),
    /// A series is copied.
    Copying {
        /// Its key.
        record_name: String,
        /// Rows that were copied, of all series.
        rows: u64,
        /// Of so many that were missing when it began.
        of_rows: u64,
        /// Bytes of JSON that were copied.
        bytes: u64,
    },
    /// Both sides are read and compared.
    Verifying,
}

/// What was transferred.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Transferred {
    /// Series of the source.
    pub series: u64,
    /// Rows that were copied.
    pub rows: u64,
    /// Bytes of JSON that were copied.
    pub bytes: u64,
    /// Rows of the source that were found to be in the target, by reading both.
    pub verified: u64,
    /// What the target cannot keep, in words.
    pub lost: Vec<String>,
}

/// Rows that arrive meanwhile are followed so often.
const ROUNDS: usize = 8;
/// A series that differs is compared row by row, and read again, so often.
const ATTEMPTS: usize = 3;

/// Copies the series that a pattern selects, with what is declared of them, and verifies the copy.
///
/// Both backends may be of any kind. The source is only read, and may go on recording: rows that arrive meanwhile follow.
/// A transfer that was interrupted, at whatever moment, goes on when it is called again: no row is lost or doubled. Memory
/// is bounded by a few batches.
///
/// The verification trusts nobody's counters. It reads both sides, up to the newest row that was copied of each series,
/// and compares their number, their ends, and two sums over time, version and text of each row.
///
/// ```
/// use std::sync::Arc;
/// use aimdb_history::{OpenHistory, HistoryError, transfer::{Others, transfer}};
/// use aimdb_persistence_backend::{MemoryBackend, PersistenceBackend};
///
/// # fn main() -> Result<(), HistoryError> {
/// # futures_lite::future::block_on(async {
/// let source = Arc::new(MemoryBackend::new());
/// source.store("temperature.sf", &serde_json::json!(13.2), 1_000).await?;
/// let (source, target) = (OpenHistory::of(source).await?, OpenHistory::of(Arc::new(MemoryBackend::new())).await?);
///
/// let moved = transfer(&source, &target, "#", Others::Refuse, |_| {}).await?;
/// assert_eq!((moved.rows, moved.verified), (1, 1));
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
/// [`HistoryError::Usage`] where the target has rows from elsewhere that are not to be merged;
/// [`HistoryError::Unwell`] where the copy is not equal; those of the two backends, after which it can go on.
pub async fn transfer(
    source: &OpenHistory,
    target: &OpenHistory,
    pattern: &str,
    others: Others,
    mut on_progress: impl FnMut(TransferProgress),
) -> Result<Transferred, HistoryError> {
    let planned = plan(source, target, pattern, |record_name| {
        on_progress(TransferProgress::Comparing(record_name.to_owned()));
    });
    let planned = planned.await?;
    if others == Others::Refuse {
        refuse_foreign(&planned)?;
    }
    declare(target, &planned, true).await?;
    let mut work = Work {
        source,
        target,
        on_progress,
        of_rows: planned.missing(),
        done: Transferred {
            series: planned.series.len() as u64,
            lost: planned.lost.clone(),
            ..Transferred::default()
        },
        newest_ms: BTreeMap::new(),
    };
    let parsed = Pattern::parse(pattern).unwrap_or_else(|_| Pattern::exact(pattern));
    work.copy_new(&parsed, &planned).await?;
    let begun = planned.series.iter();
    for (series, resume_ms) in begun.filter_map(|series| Some((series, series.resume_ms?))) {
        work.copy(&series.record_name, resume_ms).await?;
    }
    work.follow(pattern).await?;
    work.verify(&parsed, &planned).await?;
    declare(target, &planned, false).await?;
    target.backend.flush().await?;
    Ok(work.done)
}

fn refuse_foreign(plan: &Plan) -> Result<(), HistoryError> {
    let Some(first) = plan.foreign().next() else {
        return Ok(());
    };
    Err(HistoryError::Usage(format!(
        "the target has rows of {} series that the source has not, {} of `{}` for one: nothing was written; --merge keeps the rows of both",
        plan.foreign().count(),
        first.foreign,
        first.record_name
    )))
}

/// While rows are copied none may replace another, whatever is declared of rows of the same time.
async fn declare(target: &OpenHistory, plan: &Plan, is_copying: bool) -> Result<(), HistoryError> {
    let mut declarations = plan.declarations.clone();
    if is_copying {
        for declaration in &mut declarations {
            declaration.on_duplicate = OnDuplicate::Keep;
        }
    }
    match declarations.is_empty() {
        true => Ok(()),
        false => Ok(target.backend.declare(&declarations).await?),
    }
}

struct Work<'h, P> {
    source: &'h OpenHistory,
    target: &'h OpenHistory,
    on_progress: P,
    of_rows: u64,
    done: Transferred,
    /// Up to which time each series is copied.
    newest_ms: BTreeMap<String, u64>,
}

impl<P: FnMut(TransferProgress)> Work<'_, P> {
    /// Copies the series of which the target has nothing.
    async fn copy_new(&mut self, pattern: &Pattern, plan: &Plan) -> Result<(), HistoryError> {
        let new = plan
            .series
            .iter()
            .filter(|series| series.resume_ms.is_none());
        let new: BTreeSet<&str> = new.map(|series| &*series.record_name).collect();
        if new.is_empty() {
            return Ok(());
        }
        let (source, target) = (self.source, self.target);
        let mut copying = Copying::of(self);
        let on_batch = |record_name: &str, batch| copying.take(record_name, batch);
        let is_new = |record_name: &str| new.contains(record_name);
        let newest_ms = copy_new(source, target, pattern, is_new, on_batch).await?;
        self.newest_ms.extend(newest_ms);
        Ok(())
    }

    /// Copies what is missing of a series from a time on. Says how many rows that were.
    async fn copy(&mut self, record_name: &str, from_ms: u64) -> Result<u64, HistoryError> {
        let (source, target) = (self.source, self.target);
        let mut copying = Copying::of(self);
        let on_batch = |batch| copying.take(record_name, batch);
        let copied = copy_missing(source, target, record_name, Some(from_ms), on_batch).await?;
        if let Some(newest_ms) = copied.newest_ms {
            let known = self.newest_ms.entry(record_name.to_owned()).or_default();
            *known = newest_ms.max(*known);
        }
        Ok(copied.rows)
    }

    /// Copies what the source has stored meanwhile, until nothing comes any more, or it will always come.
    async fn follow(&mut self, pattern: &str) -> Result<(), HistoryError> {
        for _ in 0..ROUNDS {
            let mut rows = 0;
            for series in self.source.archive.history(pattern).series().await? {
                let known = self.newest_ms.get(&series.record_name).copied();
                // One that has begun meanwhile, and was not compared with what the target has.
                if known.is_none() && self.target_has(&series.record_name).await? {
                    continue;
                }
                if known.is_none_or(|newest_ms| newest_ms < series.last_ms) {
                    let from_ms = known.unwrap_or(0);
                    rows += self.copy(&series.record_name, from_ms).await?;
                }
            }
            if rows == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn target_has(&self, record_name: &str) -> Result<bool, HistoryError> {
        let newest = ReadRequest::new(Pattern::exact(record_name)).with_limit(1);
        let page = self.target.backend.read(newest).await?;
        Ok(!page.rows.is_empty())
    }

    async fn verify(&mut self, pattern: &Pattern, plan: &Plan) -> Result<(), HistoryError> {
        let mut unverified = self.newest_ms.clone();
        for attempt in 1..=ATTEMPTS {
            (self.on_progress)(TransferProgress::Verifying);
            let of_source = sums(self.source, pattern, &unverified).await?;
            let of_target = sums(self.target, pattern, &unverified).await?;
            let merged: Vec<&str> = plan.foreign().map(|s| &*s.record_name).collect();
            let mut differs = None;
            for (record_name, sums) in &of_source {
                let is_merged = merged.contains(&&**record_name);
                let found = of_target.get(record_name).copied().unwrap_or_default();
                // What was merged is more than the source has, so it is compared row by row.
                let is_equal = match is_merged {
                    true => self.copy(record_name, 0).await? == 0,
                    false => found == *sums,
                };
                if is_equal {
                    self.done.verified += sums.rows;
                    unverified.remove(record_name);
                } else {
                    differs = Some((record_name.clone(), *sums, found));
                }
            }
            let Some((record_name, source, target)) = differs else {
                return Ok(());
            };
            if attempt == ATTEMPTS {
                return Err(HistoryError::Unwell(format!(
                    "the copy of `{record_name}` is not equal: {} rows in the source, and {} in the target, up to the newest that was copied",
                    source.rows, target.rows
                )));
            }
            // Rows of earlier times may have arrived meanwhile.
            for record_name in unverified.keys().cloned().collect::<Vec<_>>() {
                self.copy(&record_name, 0).await?;
            }
        }
        Ok(())
    }
}

/// Counts what is copied, and tells of it.
struct Copying<'w, P> {
    done: &'w mut Transferred,
    on_progress: &'w mut P,
    of_rows: u64,
}

impl<'w, P: FnMut(TransferProgress)> Copying<'w, P> {
    fn of(work: &'w mut Work<'_, P>) -> Self {
        Self {
            done: &mut work.done,
            on_progress: &mut work.on_progress,
            of_rows: work.of_rows,
        }
    }

    fn take(&mut self, record_name: &str, batch: Copied) {
        self.done.rows += batch.rows;
        self.done.bytes += batch.bytes;
        (self.on_progress)(TransferProgress::Copying {
            record_name: record_name.to_owned(),
            rows: self.done.rows,
            of_rows: self.of_rows.max(self.done.rows),
            bytes: self.done.bytes,
        });
    }
}
