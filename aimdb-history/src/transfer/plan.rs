//! What a transfer will do: looked at before anything is written.

use std::collections::BTreeMap;

use aimdb_persistence::Ask;
use aimdb_persistence_backend::{Feature, OnDuplicate, Pattern, SeriesDeclaration};
use serde::Serialize;

use crate::error::HistoryError;
use crate::location::OpenHistory;
use crate::seen::series::declarations;
use crate::transfer::walk::Walk;

/// What will be copied, and what the target cannot keep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The series, by key.
    pub series: Vec<PlannedSeries>,
    /// What is declared in the source and cannot be kept by the target, in words.
    pub lost: Vec<String>,
    #[serde(skip)]
    pub(crate) declarations: Vec<SeriesDeclaration>,
}

/// What will become of one series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedSeries {
    /// The key.
    pub record_name: String,
    /// Rows in the source.
    pub rows: u64,
    /// Rows that the target has not.
    pub missing: u64,
    /// Rows that the target has from elsewhere.
    pub foreign: u64,
    /// Every row that is missing is at or after this time; `None` if the target has none of the series.
    pub(crate) resume_ms: Option<u64>,
}

impl Plan {
    /// Rows that will be copied.
    pub fn missing(&self) -> u64 {
        self.series.iter().map(|series| series.missing).sum()
    }

    /// The series of which the target has rows from elsewhere.
    pub fn foreign(&self) -> impl Iterator<Item = &PlannedSeries> {
        self.series.iter().filter(|series| series.foreign > 0)
    }
}

/// Compares a source with a target. Series that the target has already, all or in part, are read on both sides.
///
/// # Errors
/// Those of the two backends; [`HistoryError::NothingFound`] if the source has no such series.
pub async fn plan(
    source: &OpenHistory,
    target: &OpenHistory,
    pattern: &str,
    mut on_series: impl FnMut(&str),
) -> Result<Plan, HistoryError> {
    let counted = source.archive.history(pattern).counted_series().await?;
    if counted.is_empty() {
        return Err(HistoryError::NothingFound(format!(
            "the source has no rows of `{pattern}`"
        )));
    }
    let known = target.archive.history(pattern).series().await?;
    let known: BTreeMap<_, _> = known
        .into_iter()
        .map(|series| (series.record_name, series.last_ms))
        .collect();
    let mut series = Vec::new();
    for counted in counted {
        on_series(&counted.record_name);
        let rows = counted.rows.unwrap_or(0);
        series.push(match known.get(&counted.record_name) {
            None => PlannedSeries {
                record_name: counted.record_name,
                rows,
                missing: rows,
                foreign: 0,
                resume_ms: None,
            },
            Some(last_ms) => compare(source, target, counted.record_name, rows, *last_ms).await?,
        });
    }
    let parsed = Pattern::parse(pattern).unwrap_or_else(|_| Pattern::exact(pattern));
    let declarations: Vec<_> = declarations(source, &parsed).await?.into_values().collect();
    Ok(Plan {
        lost: lost(target, &declarations),
        series,
        declarations,
    })
}

async fn compare(
    source: &OpenHistory,
    target: &OpenHistory,
    record_name: String,
    rows: u64,
    last_ms: u64,
) -> Result<PlannedSeries, HistoryError> {
    let mut walk = Walk::new(source, target, &record_name, None);
    let (mut missing, mut foreign, mut resume_ms) = (0, 0, last_ms);
    while let Some(difference) = walk.next().await? {
        missing += difference.missing.len() as u64;
        foreign += difference.foreign;
        if let Some(entry) = difference.missing.first() {
            resume_ms = resume_ms.min(entry.stored_at);
        }
    }
    Ok(PlannedSeries {
        record_name,
        rows,
        missing,
        foreign,
        resume_ms: Some(resume_ms),
    })
}

/// A feature, and whether a declaration asks for it.
type Use = (Feature, fn(&SeriesDeclaration) -> bool);

/// What the declarations ask for and the target cannot keep.
fn lost(target: &OpenHistory, declarations: &[SeriesDeclaration]) -> Vec<String> {
    let uses: [Use; 5] = [
        (Feature::Declarations, |_| true),
        (Feature::SchemaVersions, |declared| declared.version > 1),
        (Feature::KeepLast, |declared| declared.keep_last > 0),
        (Feature::MaxRows, |declared| declared.max_rows.is_some()),
        (Feature::OnDuplicate, |declared| {
            declared.on_duplicate != OnDuplicate::Keep
        }),
    ];
    let lost = uses.iter().filter_map(|(feature, is_used)| {
        let used = declarations
            .iter()
            .filter(|declared| is_used(declared))
            .count();
        let is_lost = used > 0 && !target.backend.supports(*feature);
        is_lost.then(|| format!("{feature}, of {used} series"))
    });
    lost.collect()
}
