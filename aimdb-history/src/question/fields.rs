//! The fields that stored rows have, by their stored names.

use std::collections::BTreeMap;

use aimdb_persistence::question::StoredField;
use aimdb_persistence_backend::{Pattern, PersistenceError, ReadRequest};
use serde_json::Value;

use crate::error::HistoryError;
use crate::location::OpenHistory;

/// What is known of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownField {
    /// What kind of JSON it is: as its type declares it, or as a row has it.
    pub kind: &'static str,
    /// Its unit, where its type declares one.
    pub unit: Option<String>,
}

/// The fields of the series that a pattern selects: those that are declared, and those that their newest rows have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    known: BTreeMap<String, KnownField>,
}

/// The newest row of so many series is looked at.
const SERIES_LOOKED_AT: usize = 1_000;
/// Names that are as near as this may be meant.
const LEAST_LIKENESS: f64 = 0.75;
const MOST_NAMED: usize = 12;

impl Fields {
    /// Of the series that the pattern selects.
    ///
    /// # Errors
    /// The backend's, where it cannot be read.
    pub async fn of(history: &OpenHistory, pattern: &Pattern) -> Result<Self, HistoryError> {
        let mut fields = Self::default();
        match history.backend.declarations(pattern).await {
            Ok(declared) => {
                for field in declared.iter().flat_map(|series| &series.fields) {
                    let known = fields.known.entry(field.path.to_string()).or_default();
                    known.kind = field.kind.map_or(known.kind, |kind| kind.name());
                    known.unit = field.unit.as_deref().map(str::to_owned);
                }
            }
            Err(PersistenceError::Unsupported(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let newest = ReadRequest::new(pattern.clone())
            .with_limit(1)
            .with_page(SERIES_LOOKED_AT, 8 << 20);
        for row in history.backend.read(newest).await?.rows.iter() {
            if let Ok(value) = serde_json::from_str(row.json) {
                fields.learn(&value);
            }
        }
        Ok(fields)
    }

    /// Takes the fields of a value in.
    pub fn learn(&mut self, value: &Value) {
        self.learn_at(&mut String::new(), value);
    }

    fn learn_at(&mut self, path: &mut String, value: &Value) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    let length = path.len();
                    if length > 0 {
                        path.push('.');
                    }
                    path.push_str(name);
                    self.learn_at(path, member);
                    path.truncate(length);
                }
            }
            _ => {
                let known = self.known.entry(path.clone()).or_default();
                if known.kind.is_empty() || known.kind == "null" {
                    known.kind = kind_of(value);
                }
            }
        }
    }

    /// The fields by their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &KnownField)> {
        self.known.iter().map(|(path, field)| (&**path, field))
    }

    /// The unit of a field, where its type declares one.
    pub fn unit(&self, path: &str) -> Option<&str> {
        self.known.get(path)?.unit.as_deref()
    }

    /// The field of this path, as a person writes it: `value` may stand for a value that is no object.
    ///
    /// # Errors
    /// Says that there is none, and what may be meant.
    pub fn find(&self, path: &str) -> Result<StoredField, HistoryError> {
        let is_whole = path == "value" && !self.known.contains_key("value");
        let field = StoredField::parse(match is_whole && self.known.contains_key("") {
            true => "",
            false => path,
        });
        match self.check(&field) {
            Ok(()) => Ok(field),
            Err(reason) => Err(HistoryError::Usage(reason)),
        }
    }

    /// Whether rows may have this field: it is known, or lies within one that is known, as an item of a list does.
    ///
    /// # Errors
    /// Says that there is none, and what may be meant.
    pub fn check(&self, field: &StoredField) -> Result<(), String> {
        let path = field.to_string();
        let is_there = self.known.keys().any(|known| {
            let (outer, inner) = match known.len() <= path.len() {
                true => (&**known, &*path),
                false => (&*path, &**known),
            };
            outer.is_empty()
                || inner
                    .strip_prefix(outer)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        // Nothing is known of a series without rows and declaration.
        if is_there || self.known.is_empty() {
            return Ok(());
        }
        Err(match self.nearest(&path) {
            Some(nearest) => format!("there is no field `{path}`; did you mean `{nearest}`?"),
            None => format!("there is no field `{path}`; there are {}", self.names()),
        })
    }

    fn nearest(&self, path: &str) -> Option<&str> {
        let likeness = |known: &str| {
            let last = known.rsplit('.').next().unwrap_or(known);
            let path = path.to_lowercase();
            strsim::jaro_winkler(&known.to_lowercase(), &path)
                .max(strsim::jaro_winkler(&last.to_lowercase(), &path))
        };
        self.known
            .keys()
            .map(|known| (likeness(known), &**known))
            .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, known)| known)
    }

    fn names(&self) -> String {
        let shown: Vec<String> = self
            .known
            .keys()
            .take(MOST_NAMED)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = match self.known.len() > MOST_NAMED {
            true => " and more",
            false => "",
        };
        format!("{}{more}", shown.join(", "))
    }
}

/// What kind of JSON a value is.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_misspelt_field_is_answered_with_the_one_that_is_meant() {
        let mut fields = Fields::default();
        fields.learn(&json!({ "celsius": 1.5, "wind": { "gust": 3, "from": [1] } }));
        for path in ["celsius", "wind.gust", "wind", "wind.from.0"] {
            assert!(fields.find(path).is_ok(), "{path}");
        }
        for (path, part) in [
            ("celcius", "did you mean `celsius`?"),
            ("gust", "did you mean `wind.gust`?"),
            ("Celsius", "did you mean `celsius`?"),
            ("zzz", "there are `celsius`, `wind.from`, `wind.gust`"),
        ] {
            let error = fields.find(path).unwrap_err().to_string();
            assert!(error.contains(part), "{path}: {error}");
        }
        let mut number = Fields::default();
        number.learn(&json!(3));
        assert_eq!(number.find("value").unwrap(), StoredField::parse(""));
    }
}
