//! Which series there are, and what is known of each.

use std::collections::BTreeMap;

use aimdb_persistence::Ask;
use aimdb_persistence_backend::{
    Pattern, PersistenceError, ReadRequest, Retention, Row, RowVisitor, SeriesDeclaration, Visit,
};
use serde::Serialize;

use crate::error::HistoryError;
use crate::location::OpenHistory;

/// A series, and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeriesOverview {
    /// Its key.
    pub record_name: String,
    /// The key template of its type, where one is declared.
    pub template: Option<String>,
    /// The name of its type.
    pub type_name: Option<String>,
    /// The version of its type.
    pub version: u32,
    /// The units of its fields, those without one left out.
    pub units: Vec<String>,
    /// The time of its oldest row, in Unix milliseconds.
    pub first_ms: u64,
    /// The time of its newest row.
    pub last_ms: u64,
    /// How long its rows are kept, where the series declares it.
    pub retention: Option<Retention>,
    /// What its rows are counted as, where they were counted.
    pub counted: Option<CountedRows>,
}

/// The rows of a series, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CountedRows {
    /// How many there are.
    pub rows: u64,
    /// How long their JSON is in all.
    pub bytes: u64,
}

impl SeriesOverview {
    /// Rows in an hour, over the time between the first and the last.
    pub fn rows_per_hour(&self) -> Option<f64> {
        let intervals = self.counted?.rows.checked_sub(1)?;
        let span_ms = self
            .last_ms
            .checked_sub(self.first_ms)
            .filter(|ms| *ms > 0)?;
        Some(intervals as f64 * 3_600_000.0 / span_ms as f64)
    }
}

/// The series that have rows and that a pattern selects, by key. Counting looks at every row; without it, two rows of each
/// series are looked at.
///
/// # Errors
/// The backend's, and a malformed pattern.
pub async fn series(
    history: &OpenHistory,
    pattern: &str,
    count: bool,
) -> Result<Vec<SeriesOverview>, HistoryError> {
    let extents = history.archive.history(pattern).series().await?;
    let selected = Pattern::parse(pattern).unwrap_or_else(|_| Pattern::exact(pattern));
    let declared = declarations(history, &selected).await?;
    let mut counted = match count {
        true => counted_rows(history, &selected).await?,
        false => BTreeMap::new(),
    };
    let overviews = extents.into_iter().map(|extent| {
        let declaration = declared.get(&extent.record_name);
        let text = |of: fn(&SeriesDeclaration) -> Option<&str>| {
            declaration.and_then(of).map(str::to_owned)
        };
        SeriesOverview {
            template: text(|declaration| declaration.template.as_deref()),
            type_name: text(|declaration| declaration.type_name.as_deref()),
            version: declaration.map_or(0, |declaration| declaration.version),
            units: declaration.map_or_else(Vec::new, units),
            first_ms: extent.first_ms,
            last_ms: extent.last_ms,
            retention: declaration.and_then(|declaration| declaration.retention),
            counted: match count {
                true => Some(counted.remove(&extent.record_name).unwrap_or_default()),
                false => None,
            },
            record_name: extent.record_name,
        }
    });
    Ok(overviews.collect())
}

/// What is declared of the series that a pattern selects, by key. A backend that keeps no declarations has none.
pub(crate) async fn declarations(
    history: &OpenHistory,
    pattern: &Pattern,
) -> Result<BTreeMap<String, SeriesDeclaration>, HistoryError> {
    match history.backend.declarations(pattern).await {
        Ok(declared) => Ok(declared
            .into_iter()
            .map(|declaration| (declaration.record_name.to_string(), declaration))
            .collect()),
        Err(PersistenceError::Unsupported(_)) => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

fn units(declaration: &SeriesDeclaration) -> Vec<String> {
    let units = declaration.fields.iter();
    units
        .filter_map(|field| field.unit.as_deref().map(str::to_owned))
        .collect()
}

/// Counts the rows of each series.
pub(crate) async fn counted_rows(
    history: &OpenHistory,
    pattern: &Pattern,
) -> Result<BTreeMap<String, CountedRows>, HistoryError> {
    let counting = Box::new(Counting::default());
    let request = ReadRequest::new(pattern.clone());
    let scanned = history.backend.scan(request, None, counting).await?;
    let counting: Counting = scanned.into_visitor();
    Ok(counting.series.into_iter().collect())
}

#[derive(Default)]
struct Counting {
    series: Vec<(String, CountedRows)>,
}

impl RowVisitor for Counting {
    fn begin_series(&mut self, record_name: &str) -> bool {
        self.series
            .push((record_name.to_owned(), CountedRows::default()));
        true
    }

    fn visit(&mut self, row: Row<'_>) -> Visit {
        if let Some((_, counted)) = self.series.last_mut() {
            counted.rows += 1;
            counted.bytes += row.json.len() as u64;
        }
        Visit::Continue
    }
}
