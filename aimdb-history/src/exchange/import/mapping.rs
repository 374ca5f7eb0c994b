//! From the columns of a line to a row.

use aimdb_persistence_backend::validate_key;

use crate::error::HistoryError;
use crate::exchange::cell::quoted;
use crate::exchange::import::described::Import;
use crate::exchange::import::lines::{VALUE, Values};
use crate::exchange::members::{STORED_AT, VERSION, is_reserved, names_of};
use crate::question::{Bound, Clock};

/// A row that a line stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MappedRow {
    pub(crate) record_name: String,
    pub(crate) stored_at: u64,
    pub(crate) version: u32,
    pub(crate) json: String,
}

/// What becomes of the columns.
pub(crate) struct Mapping<'i> {
    import: &'i Import,
    clock: &'i Clock,
    key: Vec<Part>,
    /// Fields and the columns that they are of; `None` takes all that have no other part.
    fields: Option<Vec<(Vec<String>, String)>>,
}

/// A part of a key.
enum Part {
    Text(String),
    Column(String),
}

impl<'i> Mapping<'i> {
    /// # Errors
    /// [`HistoryError::Usage`] for a key that cannot be read, and for a column that the header has not.
    pub(crate) fn of(
        import: &'i Import,
        header: Option<&[String]>,
        clock: &'i Clock,
    ) -> Result<Self, HistoryError> {
        let fields = import.fields.iter().map(|field| {
            let (field, column) = field.split_once('=').unwrap_or((field, field));
            (names_of(field), column.to_owned())
        });
        let mapping = Self {
            import,
            clock,
            key: parts_of(&import.key)?,
            fields: (!import.fields.is_empty()).then(|| fields.collect()),
        };
        let named = mapping.columns_of_key().chain([&*import.time]);
        let of_fields = mapping.fields.iter().flatten().map(|(_, column)| &**column);
        for column in named.chain(of_fields) {
            if let Some(header) = header
                && !header.iter().any(|known| known == column)
            {
                return Err(HistoryError::Usage(format!(
                    "{}: there is no column `{column}`; there are {}",
                    import.file.display(),
                    header.join(", ")
                )));
            }
        }
        Ok(mapping)
    }

    fn columns_of_key(&self) -> impl Iterator<Item = &str> {
        self.key.iter().filter_map(|part| match part {
            Part::Column(column) => Some(&**column),
            Part::Text(_) => None,
        })
    }

    /// # Errors
    /// Says why the line cannot be a row.
    pub(crate) fn row(&self, values: &Values) -> Result<MappedRow, String> {
        Ok(MappedRow {
            record_name: self.key(values)?,
            stored_at: self.time(values)?,
            version: self.version(values)?,
            json: self.value(values)?,
        })
    }

    fn key(&self, values: &Values) -> Result<String, String> {
        let mut key = String::new();
        for part in &self.key {
            match part {
                Part::Text(text) => key.push_str(text),
                Part::Column(column) => key.push_str(&text_of(values, column)?),
            }
        }
        validate_key(&key).map_err(|error| error.to_string())?;
        Ok(key)
    }

    fn time(&self, values: &Values) -> Result<u64, String> {
        let text = text_of(values, &self.import.time)?;
        // As this program writes it.
        if self.import.time == STORED_AT
            && let Ok(ms) = text.parse()
        {
            return Ok(ms);
        }
        time_of(&text, self.clock).map_err(|reason| format!("`{}`: {reason}", self.import.time))
    }

    fn version(&self, values: &Values) -> Result<u32, String> {
        match (self.import.version, values.get(VERSION)) {
            (Some(version), _) => Ok(version),
            (None, None) => Ok(0),
            (None, Some(version)) => version
                .parse()
                .map_err(|_| format!("`{VERSION}`: {version} is no version of a type")),
        }
    }

    fn value(&self, values: &Values) -> Result<String, String> {
        if let Some(value) = values.get(VALUE) {
            return Ok(value.clone());
        }
        let mut object = Object::default();
        match &self.fields {
            Some(fields) => {
                for (names, column) in fields {
                    if let Some(json) = values.get(column) {
                        object.put(names, json)?;
                    }
                }
            }
            None => {
                for (column, json) in values.iter().filter(|(column, _)| self.is_field(column)) {
                    object.put(&names_of(column), json)?;
                }
            }
        }
        Ok(object.json())
    }

    fn is_field(&self, column: &str) -> bool {
        column != self.import.time
            && !is_reserved(column)
            && !self.columns_of_key().any(|of_key| of_key == column)
    }
}

/// A column's value as a text.
fn text_of(values: &Values, column: &str) -> Result<String, String> {
    let json = values
        .get(column)
        .ok_or_else(|| format!("`{column}` is empty"))?;
    match json.starts_with('"') {
        true => serde_json::from_str(json).map_err(|error| error.to_string()),
        false => Ok(json.clone()),
    }
}

/// Unix seconds, milliseconds, microseconds or nanoseconds, told apart by their size, and what people write.
fn time_of(text: &str, clock: &Clock) -> Result<u64, String> {
    let text = text.trim();
    if let Ok(number) = text.parse::<u64>() {
        return Ok(match number {
            // In milliseconds: 1973.
            0..100_000_000_000 => number.saturating_mul(1_000),
            100_000_000_000..100_000_000_000_000 => number,
            100_000_000_000_000..100_000_000_000_000_000 => number / 1_000,
            _ => number / 1_000_000,
        });
    }
    if let Ok(seconds) = text.parse::<f64>()
        && (0.0..1e11).contains(&seconds)
    {
        return Ok((seconds * 1_000.0).round() as u64);
    }
    let date = text.replacen('/', "-", 2);
    clock.parse(&date, Bound::Start)
}

fn parts_of(key: &str) -> Result<Vec<Part>, HistoryError> {
    let usage = || {
        HistoryError::Usage(format!(
            "--key {key}: columns stand in braces, as in `temperature.{{station}}`"
        ))
    };
    let (mut parts, mut rest) = (Vec::new(), key);
    while let Some((text, column)) = rest.split_once('{') {
        let (column, after) = column.split_once('}').ok_or_else(usage)?;
        if column.is_empty() || column.contains('{') {
            return Err(usage());
        }
        parts.push(Part::Text(text.to_owned()));
        parts.push(Part::Column(column.to_owned()));
        rest = after;
    }
    if rest.contains('}') {
        return Err(usage());
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}

/// An object that is put together field by field.
#[derive(Default)]
enum Object {
    #[default]
    Empty,
    Json(String),
    Members(Vec<(String, Object)>),
}

impl Object {
    fn put(&mut self, names: &[String], json: &str) -> Result<(), String> {
        let [name, inner @ ..] = names else {
            *self = match self {
                Self::Empty => Self::Json(json.to_owned()),
                _ => return Err("a field is both a value and an object".to_owned()),
            };
            return Ok(());
        };
        if matches!(self, Self::Empty) {
            *self = Self::Members(Vec::new());
        }
        let Self::Members(members) = self else {
            return Err(format!("`{name}` lies within a field that is no object"));
        };
        let known = members.iter().position(|(known, _)| known == name);
        let index = known.unwrap_or_else(|| {
            members.push((name.clone(), Self::Empty));
            members.len() - 1
        });
        members[index].1.put(inner, json)
    }

    fn json(&self) -> String {
        match self {
            Self::Empty => "{}".to_owned(),
            Self::Json(json) => json.clone(),
            Self::Members(members) => {
                let members = members.iter();
                let members: Vec<String> = members
                    .map(|(name, value)| format!("{}:{}", quoted(name), value.json()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn times_are_read_in_any_of_the_usual_forms() {
        let clock = Clock {
            zone: TimeZone::UTC,
            now_ms: 0,
        };
        for text in [
            "1795867200",
            "1795867200.0",
            "1795867200000",
            "1795867200000000",
            "1795867200000000000",
            "2026-11-28T12:00:00.000Z",
            "2026-11-28 12:00",
            "2026/11/28 12:00",
        ] {
            assert_eq!(time_of(text, &clock), Ok(1_795_867_200_000), "{text}");
        }
        assert!(time_of("noon", &clock).is_err());
    }
}
