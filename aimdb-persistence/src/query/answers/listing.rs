//! The registry of what is declared: each series with its terms, its counters, and what is stored of it.

use std::collections::{BTreeMap, BTreeSet};

use aimdb_persistence_backend::{PersistenceError, Retention};
use serde::de::IgnoredAny;

use serde::Serialize;

use crate::archive::Archive;
use crate::archive::record::RecordState;
use crate::archive::stats::Counts;
use crate::declaration::declared::BufferKind;
use crate::declaration::policy::Policy;
use crate::declaration::versions::whatever_version;
use crate::query::history::History;
use crate::query::selection::Selection;

/// A series that this program has declared, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PersistedSeries {
    /// The record's key.
    pub record_name: String,
    /// The record's type, as the compiler names it.
    pub type_name: &'static str,
    /// The key or key template that the type declares; `None` where the record is persisted by its name alone.
    pub template: Option<&'static str>,
    /// The version of the type's schema; 1 where none is declared.
    pub version: u32,
    /// How long its rows are kept: its own retention, or the database's.
    pub retention: Retention,
    /// Which of its values become rows, and how many are kept.
    pub policy: Policy,
    /// The buffer that its declaration or `register` gives it; `None` where its `configure` closure sets one.
    pub buffer: Option<BufferKind>,
    /// What became of its values in this run.
    pub counts: Counts,
    /// Why nothing of it is being recorded, where that is so.
    pub problem: Option<String>,
    /// How many rows are stored of it, from earlier runs too.
    pub rows: u64,
    /// The times of its oldest and its newest row, in Unix milliseconds, where there are any.
    pub extent_ms: Option<(u64, u64)>,
}

impl PersistedSeries {
    /// As it is declared; what is stored of it is not known yet.
    fn of(record: &RecordState, archive: &Archive) -> Self {
        let declared = record.declared.get();
        let retention = declared.and_then(|declared| declared.retention);
        Self {
            record_name: record.name.to_string(),
            type_name: record.rust_type.get().map_or("", |(_, name)| name),
            template: declared.map(|declared| declared.template),
            version: record.version().max(1),
            retention: retention.unwrap_or(archive.options().retention),
            policy: record.policy(),
            buffer: declared.and_then(|declared| declared.buffer),
            counts: record.counters.snapshot(),
            problem: record.problem.get().cloned(),
            rows: 0,
            extent_ms: None,
        }
    }
}

/// Every declared series, by key.
pub(crate) async fn persisted_series(
    archive: &Archive,
) -> Result<Vec<PersistedSeries>, PersistenceError> {
    let records = archive.registry().all();
    let declared = records
        .iter()
        .map(|record| PersistedSeries::of(record, archive));
    let mut series: BTreeMap<String, PersistedSeries> = declared
        .map(|series| (series.record_name.clone(), series))
        .collect();
    let names: BTreeSet<String> = series.keys().cloned().collect();
    let selection = Selection::by_pattern("#")
        .admitting(Box::new(move |name| names.contains(name)))
        .even_if_not_recorded();
    let stored = History::new(
        Some(archive.clone()),
        selection,
        whatever_version::<IgnoredAny>,
    );
    for extent in stored.counted_series().await? {
        if let Some(series) = series.get_mut(&extent.record_name) {
            series.rows = extent.rows.unwrap_or_default();
            series.extent_ms = Some((extent.first_ms, extent.last_ms));
        }
    }
    Ok(series.into_values().collect())
}
