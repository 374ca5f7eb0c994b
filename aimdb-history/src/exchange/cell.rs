//! A JSON value as the text of a CSV cell, so that the cell leads back to it.

use std::borrow::Cow;

/// The text of a cell. Numbers, truth values, `null`, lists and objects stand as JSON has them. A text stands as it is,
/// unless it is empty, or would be read as one of the others: then it stands in quotes, as JSON has it.
pub(crate) fn cell_of(json: &str) -> Cow<'_, str> {
    if !json.starts_with('"') {
        return Cow::Borrowed(json);
    }
    match serde_json::from_str::<String>(json) {
        Ok(text) if text.is_empty() || json_of(&text) != Cow::<str>::Owned(quoted(&text)) => {
            Cow::Owned(quoted(&text))
        }
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(json),
    }
}

/// The JSON that a cell stands for.
pub(crate) fn json_of(cell: &str) -> Cow<'_, str> {
    let begins = cell.as_bytes().first();
    let may_be_json = matches!(begins, Some(b'"' | b'{' | b'[' | b'-' | b'0'..=b'9'))
        || ["true", "false", "null"].contains(&cell);
    if may_be_json && serde_json::from_str::<serde::de::IgnoredAny>(cell).is_ok() {
        return Cow::Borrowed(cell);
    }
    Cow::Owned(quoted(cell))
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_from_its_cell() {
        for (json, cell) in [
            ("1.50", "1.50"),
            ("-7", "-7"),
            ("true", "true"),
            ("null", "null"),
            ("[1,\"a\"]", "[1,\"a\"]"),
            ("{}", "{}"),
            ("\"a, b\"", "a, b"),
            (
                "\"line\\nbreak \\\"quoted\\\" 東京\"",
                "line\nbreak \"quoted\" 東京",
            ),
            ("\"\"", "\"\""),
            ("\"5\"", "\"5\""),
            ("\"007\"", "007"),
            ("\"true\"", "\"true\""),
            ("\"null\"", "\"null\""),
            ("\"[1]\"", "\"[1]\""),
            ("\"[1\"", "[1"),
            ("\"\\\"x\\\"\"", "\"\\\"x\\\"\""),
            ("\" 5\"", " 5"),
        ] {
            assert_eq!(cell_of(json), cell, "{json}");
            assert_eq!(json_of(cell), json, "{cell}");
        }
    }
}
