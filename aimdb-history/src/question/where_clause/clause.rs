//! A condition, once it is read.

use aimdb_persistence::question::{Filter, StoredField};
use serde_json::Value;

use crate::question::fields::Fields;
use crate::question::where_clause::mistake::WhereError;

/// A condition on the fields of rows, as a text says it: `celsius > 20 and not (station = 'sf' or wind.gust is null)`.
///
/// | form | holds |
/// |---|---|
/// | `a = 1`, `!=`, `<`, `<=`, `>`, `>=` | for numbers, texts in quotes, `true`, `false` |
/// | `a in (1, 2, 3)` | for one of these |
/// | `a is null`, `a is not null` | where it is missing or null, and where not |
/// | `a contains 'x'`, `a starts with 'x'`, `a ends with 'x'` | for texts |
/// | `a` | where it is `true` |
/// | `not …`, `… and …`, `… or …`, `( … )` | as they say |
#[derive(Debug, Clone, PartialEq)]
pub enum WhereClause {
    /// All hold.
    All(Vec<WhereClause>),
    /// One holds at least.
    Any(Vec<WhereClause>),
    /// It does not hold.
    Not(Box<WhereClause>),
    /// A test of one field.
    Field {
        /// The field, by its stored names.
        field: StoredField,
        /// Where its name begins in the text, in bytes.
        at: usize,
        /// What is asked of it.
        test: Test,
    },
}

/// What is asked of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Equal.
    Equal(Value),
    /// Not equal, or not there.
    NotEqual(Value),
    /// Less.
    Less(Value),
    /// Less or equal.
    LessOrEqual(Value),
    /// Greater.
    Greater(Value),
    /// Greater or equal.
    GreaterOrEqual(Value),
    /// One of these.
    In(Vec<Value>),
    /// There, and not null.
    IsThere,
    /// A text with this in it.
    Contains(String),
    /// A text that begins so.
    StartsWith(String),
    /// A text that ends so.
    EndsWith(String),
}

impl WhereClause {
    /// Whether every field is one that is known.
    ///
    /// # Errors
    /// Names the first that is not, and what may be meant.
    pub fn check(&self, text: &str, fields: &Fields) -> Result<(), WhereError> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().try_for_each(|part| part.check(text, fields))
            }
            Self::Not(part) => part.check(text, fields),
            Self::Field { field, at, .. } => fields
                .check(field)
                .map_err(|reason| WhereError::new(text, *at, reason)),
        }
    }

    /// As a filter of the query builder.
    pub fn filter<T>(&self) -> Filter<T> {
        let join = |parts: &[Self], join: fn(Filter<T>, Filter<T>) -> Filter<T>| {
            let mut filters = parts.iter().map(Self::filter);
            let first = filters.next();
            first.map(|first| filters.fold(first, join))
        };
        match self {
            Self::All(parts) => join(parts, Filter::and).unwrap_or_else(everything),
            Self::Any(parts) => join(parts, Filter::or).unwrap_or_else(|| !everything()),
            Self::Not(part) => !part.filter(),
            Self::Field { field, test, .. } => test.filter(field),
        }
    }
}

/// Neither clause is ever empty as it is parsed; one that was made by hand may be.
fn everything<T>() -> Filter<T> {
    let whole = StoredField::parse("");
    whole.is_there() | !whole.is_there()
}

impl Test {
    fn filter<T>(&self, field: &StoredField) -> Filter<T> {
        match self {
            Self::Equal(value) => field.eq(value),
            Self::NotEqual(value) => field.ne(value),
            Self::Less(value) => field.lt(value),
            Self::LessOrEqual(value) => field.le(value),
            Self::Greater(value) => field.gt(value),
            Self::GreaterOrEqual(value) => field.ge(value),
            Self::In(values) => field.is_in(values),
            Self::IsThere => field.is_there(),
            Self::Contains(text) => field.contains(text.as_str()),
            Self::StartsWith(text) => field.starts_with(text.as_str()),
            Self::EndsWith(text) => field.ends_with(text.as_str()),
        }
    }
}
