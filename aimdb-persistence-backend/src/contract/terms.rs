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
    /// When its rows are packed; `None` follows what the backend was told. A hint: a backend that does not pack records all
    /// the same.
    pub pack: Option<Packing>,
    /// The type's name without its path, and with the arguments of a generic one: `Power<f64>`. `None` says nothing of it.
    pub type_name: Option<Arc<str>>,
    /// The version of the type's schema; 0 where none is declared.
    pub version: u32,
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
            pack: None,
            type_name: None,
            version: 0,
            fields: Vec::new(),
        }
    }

    /// Of the type with this name.
    #[must_use]
    pub fn with_type_name(mut self, type_name: impl Into<Arc<str>>) -> Self {
        self.type_name = Some(type_name.into());
        self
    }

    /// With the version of its type's schema.
    #[must_use]
    pub fn with_version(mut self, version: u32) -> Self {
        self.version = version;
        self
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

    /// With when its rows are packed.
    #[must_use]
    pub fn with_pack(mut self, pack: Option<Packing>) -> Self {
        self.pack = pack;
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

/// When rows of a series become packed: stored in a few bytes each, by a backend that can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Packing {
    /// They stay as they are.
    Never,
    /// When they are so many milliseconds old.
    After(u64),
}

/// What is declared of one field of a series' type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DeclaredField {
    /// Where it lies in the stored JSON: names with a dot between them, a number in an array. Empty, it is the value itself.
    pub path: Arc<str>,
    /// What kind of JSON it is, where that is known.
    pub kind: Option<FieldKind>,
    /// Its unit, such as `°C`.
    pub unit: Option<Arc<str>>,
}

impl DeclaredField {
    /// The field at this path.
    pub fn new(path: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            kind: None,
            unit: None,
        }
    }

    /// With the kind of JSON that it is.
    #[must_use]
    pub fn with_kind(mut self, kind: FieldKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// With its unit.
    #[must_use]
    pub fn with_unit(mut self, unit: impl Into<Arc<str>>) -> Self {
        self.unit = Some(unit.into());
        self
    }
}

/// What kind of JSON a field is, as its type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// A text.
    Text,
    /// An array.
    List,
    /// An object with any keys.
    Map,
    /// Whatever the field's type makes of itself.
    Other,
}

impl FieldKind {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Bool, "bool"),
        (Self::Integer, "integer"),
        (Self::Float, "float"),
        (Self::Text, "text"),
        (Self::List, "list"),
        (Self::Map, "map"),
        (Self::Other, "other"),
    ];

    /// Its name, for backends to keep.
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(kind, _)| *kind == self);
        named.map_or("other", |(_, name)| name)
    }

    /// The kind of this [name](Self::name); `None` for one that a newer version knows.
    pub fn from_name(name: &str) -> Option<Self> {
        let named = Self::NAMES.iter().find(|(_, known)| *known == name);
        named.map(|(kind, _)| *kind)
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
    /// Rows among the settled that took the place of one with the same time ([`OnDuplicate::Replace`]), which may be one of
    /// the batch, by their index in the batch.
    pub replaced: Vec<usize>,
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
    /// Rows that lie further ahead of the clock than this are none of the newest that are to be kept.
    pub max_ahead_ms: u64,
    /// The longest of the default and every retention declared in this run.
    pub longest_retention: Retention,
    /// The wall clock has been seen to run evenly for a day since this process started, so that its reading is trusted.
    /// Before that there is nothing to compare it with. A backend that keeps rows from run to run compares it with what
    /// earlier runs have left, and puts the sweep off if more time seems to have passed than is plausible.
    pub clock_is_trusted: bool,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Rows removed.
    pub removed: u64,
    /// Set where the sweep was put off: the time that seems to have passed since the history was last swept or written,
    /// in milliseconds.
    pub put_off: Option<u64>,
    /// Earlier runs have left something that lies far ahead of the clock. When the clock then leaps forward, it may have
    /// been set right.
    pub clock_is_behind: bool,
}
