//! Whether a text can be read back, without reading it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Accepts exactly the texts that parse as a `serde_json::Value`, without building one. Its recursion limit and its range of
/// numbers count, so that whatever a backend stores can be queried.
///
/// ```
/// use aimdb_persistence_backend::json::check;
///
/// assert!(check(r#"{"celsius":13.2}"#).is_ok());
/// assert!(check("NaN").is_err());
/// ```
///
/// # Errors
/// As the parser has them.
pub fn check(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<ReadsBack>(text).map(drop)
}

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
            assert_eq!(check(text).is_ok(), expected, "{text:.40}");
        }
    }
}
