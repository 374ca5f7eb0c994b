//! One figure of an answer, as people, JSON and CSV have it.

use indicatif::{BinaryBytes, HumanCount};
use serde_json::Value;

use crate::question::{Clock, show_length};

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// There is none.
    Nothing,
    /// A text.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A number.
    Number(f64),
    /// Unix milliseconds.
    Time(u64),
    /// A length of time in milliseconds.
    Length(u64),
    /// Bytes.
    Bytes(u64),
    /// A value as it is stored.
    Json(Value),
}

impl Cell {
    /// Of what may be missing.
    pub fn of<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Nothing, cell)
    }

    /// For people.
    pub(crate) fn for_people(&self, clock: &Clock) -> String {
        match self {
            Self::Nothing => "–".to_owned(),
            Self::Text(text) => printable(text),
            Self::Count(count) => HumanCount(*count).to_string(),
            Self::Number(number) => short(*number),
            Self::Time(ms) => clock.show(*ms),
            Self::Length(ms) => show_length(*ms),
            Self::Bytes(bytes) => BinaryBytes(*bytes).to_string(),
            Self::Json(Value::String(text)) => printable(text),
            Self::Json(Value::Number(number)) if number.is_f64() => {
                number.as_f64().map_or_else(|| number.to_string(), short)
            }
            Self::Json(Value::Null) => "null".to_owned(),
            Self::Json(value) => printable(&value.to_string()),
        }
    }

    /// For programs that read JSON.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Count(number)
            | Self::Time(number)
            | Self::Length(number)
            | Self::Bytes(number) => (*number).into(),
            Self::Json(value) => value.clone(),
        }
    }

    /// For programs that read CSV.
    pub(crate) fn csv(&self) -> String {
        match self.json() {
            Value::Null => String::new(),
            Value::String(text) => text,
            value => value.to_string(),
        }
    }

    /// Whether people read it from the right.
    pub(crate) fn is_number(&self) -> bool {
        match self {
            Self::Count(_) | Self::Number(_) | Self::Length(_) | Self::Bytes(_) => true,
            Self::Json(value) => value.is_number(),
            Self::Nothing | Self::Text(_) | Self::Time(_) => false,
        }
    }
}

/// At most four decimals: figures are read, not calculated with.
fn short(number: f64) -> String {
    if number != 0.0 && !(1e-3..1e15).contains(&number.abs()) {
        return format!("{number:.4e}");
    }
    let fixed = format!("{number:.4}");
    let trimmed = fixed.trim_end_matches('0').trim_end_matches('.');
    match trimmed {
        "-0" => "0".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

/// Control characters in a stored text would play with the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people_are_short_and_texts_cannot_play_with_the_terminal() {
        for (number, shown) in [
            (20.0, "20"),
            (20.123456, "20.1235"),
            (-0.00001, "-1.0000e-5"),
            (0.0, "0"),
            (1e18, "1.0000e18"),
        ] {
            assert_eq!(short(number), shown);
        }
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
