//! Rows that can never be stored. Each row is looked through by itself, before a transaction begins.

use std::fmt;

use aimdb_persistence::{PersistenceError, Row, Rows, validate_key};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// SQLite's limit for a row, less some room for the row's other columns.
const LONGEST_TEXT_BYTES: usize = 1_000_000_000 - 1_024;

/// The rows that are refused, by index, each with its reason.
pub(crate) fn refusals(rows: &Rows) -> Vec<(usize, PersistenceError)> {
    let bad_keys: Vec<_> = rows
        .names()
        .iter()
        .map(|name| validate_key(name).err())
        .collect();
    rows.iter()
        .enumerate()
        .filter_map(|(index, row)| {
            let refused = match &bad_keys[rows.name_index(index)] {
                Some(error) => Some(error.clone().into()),
                None => refusal(&row),
            };
            refused.map(|error| (index, error))
        })
        .collect()
}

fn refusal(row: &Row<'_>) -> Option<PersistenceError> {
    let unstorable = |reason: String| {
        Some(PersistenceError::Unstorable {
            record_name: row.record_name.to_owned(),
            reason,
        })
    };
    if i64::try_from(row.stored_at).is_err() {
        return unstorable(format!(
            "its time, {} ms, lies beyond the largest that SQLite can hold, {}",
            row.stored_at,
            i64::MAX
        ));
    }
    let bytes = row.json.len() + row.record_name.len();
    if bytes > LONGEST_TEXT_BYTES {
        return unstorable(format!(
            "its {bytes} bytes exceed SQLite's limit of {LONGEST_TEXT_BYTES}"
        ));
    }
    serde_json::from_str::<ReadsBack>(row.json)
        .err()
        .map(Into::into)
}

/// Accepts exactly the texts that parse as a `serde_json::Value`, without building one. Its recursion limit and its
/// range of numbers count, so that whatever is stored can be queried.
struct ReadsBack;

impl<'de> Deserialize<'de> for ReadsBack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for ReadsBack {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self, A::Error> {
        while sequence.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_text_is_accepted_exactly_if_it_parses_as_a_value() {
        let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
        for text in [
            "null",
            "true",
            "-1",
            "18446744073709551615",
            "1e300",
            "1e999",
            "\"\\ud800\"",
            "\"é\\u0000\"",
            "[1,{\"a\":[]}]",
            "",
            " ",
            "nul",
            "[1,]",
            "{\"a\"}",
            "{1:2}",
            "1 2",
            "NaN",
            "\"\n\"",
            &deep(126),
            &deep(127),
            &deep(128),
            &deep(100_000),
        ] {
            let expected = serde_json::from_str::<Value>(text).is_ok();
            assert_eq!(
                serde_json::from_str::<ReadsBack>(text).is_ok(),
                expected,
                "{text:.40}"
            );
        }
    }

    #[test]
    fn rows_are_refused_one_by_one_with_their_reason() {
        let mut rows = Rows::new();
        rows.push("a", 1, "1");
        rows.push("a", u64::MAX, "1");
        rows.push("a..b", 1, "1");
        rows.push("a", 1, "{");
        rows.push("b", i64::MAX.cast_unsigned(), "null");
        let refused = refusals(&rows);
        let reasons: Vec<_> = refused.iter().map(|(i, e)| (*i, e.to_string())).collect();
        assert!(
            matches!(
                &refused[..],
                [
                    (1, PersistenceError::Unstorable { .. }),
                    (2, PersistenceError::InvalidKey(_)),
                    (3, PersistenceError::Serialization(_)),
                ]
            ),
            "{reasons:?}"
        );
    }
}
