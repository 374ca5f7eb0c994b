//! What goes over the contract and is not rows: declarations, the fate of a batch, sweeps.

use std::sync::Arc;

use serde::Serialize;

use crate::contract::error::PersistenceError;
use crate::contract::retention::Retention;

/// What a database knows of a series before its first row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeriesDeclaration {
    /// The record's key.
    pub record_name: Arc<str>,
    /// The key template of its type, `temperature.{station}`: what tells one type's series from another's. `None` says
    /// nothing of it: what was declared before holds.
    pub template: Option<Arc<str>>,
    /// The record's own retention; `None` follows the builder's.
    pub retention: Option<Retention>,
    /// So many of the newest rows are kept however old they are.
    pub keep_last: u64,
    /// The oldest rows beyond so many are removed by a sweep.
    pub max_rows: Option<u64>,
    /// What becomes of a row of the same time as another.
    pub on_duplicate: OnDuplicate,
    /// What is known of the type's fields.
    pub fields: Vec<DeclaredField>,
}

impl SeriesDeclaration {
    /// Of the record with this key, and nothing else.
    pub fn new(record_name: impl Into<Arc<str>>) -> Self {
        Self {
            record_name: record_name.into(),
            template: None,
            retention: None,
            keep_last: 0,
            max_rows: None,
            on_duplicate: OnDuplicate::Keep,
            fields: Vec::new(),
        }
    }

    /// Of a type with this key template.
    #[must_use]
    pub fn with_template(mut self, template: impl Into<Arc<str>>) -> Self {
        self.template = Some(template.into());
        self
    }

    /// With a retention of its own.
    #[must_use]
    pub fn with_retention(mut self, retention: Option<Retention>) -> Self {
        self.retention = retention;
        self
    }

    /// With so many rows that are kept however old they are.
    #[must_use]
    pub fn with_keep_last(mut self, rows: u64) -> Self {
        self.keep_last = rows;
        self
    }

    /// With a greatest number of rows.
    #[must_use]
    pub fn with_max_rows(mut self, rows: u64) -> Self {
        self.max_rows = Some(rows);
        self
    }

    /// With what becomes of a row of the same time as another.
    #[must_use]
    pub fn with_on_duplicate(mut self, on_duplicate: OnDuplicate) -> Self {
        self.on_duplicate = on_duplicate;
        self
    }

    /// With what is known of the type's fields.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = DeclaredField>) -> Self {
        self.fields = fields.into_iter().collect();
        self
    }
}

/// What becomes of a row of a series that has one of the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
pub enum OnDuplicate {
    /// Both are kept.
    #[default]
    Keep,
    /// The new one takes the other's place.
    Replace,
    /// The new one is left out.
    Ignore,
}

/// What is declared of one field of a series' type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DeclaredField {
    /// Where it lies in the stored JSON: names with a dot between them, a number in an array. Empty, it is the value itself.
    pub path: Arc<str>,
    /// Its unit, such as `°C`.
    pub unit: Option<Arc<str>>,
}

impl DeclaredField {
    /// The field at this path.
    pub fn new(path: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            unit: None,
        }
    }

    /// With its unit.
    #[must_use]
    pub fn with_unit(mut self, unit: impl Into<Arc<str>>) -> Self {
        self.unit = Some(unit.into());
        self
    }
}

/// How far a batch got.
#[derive(Debug, Default)]
pub struct BatchOutcome {
    /// So many rows from the start are settled: stored, or listed in `refused`. The rest was not stored.
    pub settled: usize,
    /// Rows among the settled that were left out because their series has one of the same time
    /// ([`OnDuplicate::Ignore`]), by their index in the batch.
    pub left_out: Vec<usize>,
    /// Rows among the settled that can never be stored, by their index in the batch.
    pub refused: Vec<(usize, PersistenceError)>,
    /// Why the batch ended before its last row.
    pub stopped_by: Option<PersistenceError>,
}

impl BatchOutcome {
    /// Nothing of the batch was stored.
    pub fn stopped(error: PersistenceError) -> Self {
        Self {
            stopped_by: Some(error),
            ..Self::default()
        }
    }
}

/// What to sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepRequest {
    /// The wall clock in Unix milliseconds.
    pub now_ms: u64,
    /// For series without a retention of their own.
    pub default_retention: Retention,
    /// The longest of the default and every retention declared in this run.
    pub longest_retention: Retention,
    /// The wall clock has been seen to run evenly since this process started, so that its reading is trusted. The
    /// first sweep of a run has nothing to compare with: a backend that remembers when it last swept puts such a
    /// sweep off if more time seems to have passed than is plausible.
    pub clock_is_trusted: bool,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Rows removed.
    pub removed: u64,
    /// Set where the sweep was put off: the time that seems to have passed since the last one, in milliseconds.
    pub put_off: Option<u64>,
}
