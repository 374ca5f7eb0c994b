//! A column holds what the rows hold at its place.

use aimdb_persistence_packed::{Chunk, Value};
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::arbitrary::json;
use crate::rows::packed_texts;

fn values(chunk: &Chunk, path: &[&str]) -> Vec<String> {
    let mut column = chunk.column(path.iter().copied());
    (0..chunk.rows())
        .map(|row| format!("{:?}", column.get(row).unwrap()))
        .collect()
}

#[test]
fn each_kind_of_value_comes_in_its_own_form() {
    let chunk = packed_texts(&[
        r#"{"a":1}"#,
        r#"{"a":-2.50}"#,
        r#"{"a":-2.5}"#,
        r#"{"a":0.30000000000000004}"#,
        r#"{"a":18446744073709551615}"#,
        r#"{"a":true,"b":{"c":"x\n"}}"#,
        r#"{"a":null,"b":{}}"#,
        r#"{"a":"Nö","b":[{"c":1}]}"#,
        r#"{"a":{"x":[1,2]},"b":{"c": 1}}"#,
        r#"{"b":7}"#,
        "3",
        r#"{"a": 4}"#,
    ]);
    let expected = [
        "Integer(1)",
        r#"Json("-2.50")"#,
        "Decimal { digits: -25, places: 1 }",
        "Float(0.30000000000000004)",
        "Unsigned(18446744073709551615)",
        "Bool(true)",
        "Null",
        r#"Text("Nö")"#,
        r#"Json("{\"x\":[1,2]}")"#,
        "Missing",
        "Missing",
        "InText",
    ];
    assert_eq!(values(&chunk, &["a"]), expected);
    let missing = |count| vec!["Missing"; count];
    let inner = values(&chunk, &["b", "c"]);
    assert_eq!(inner[..5], missing(5));
    assert_eq!(
        inner[5..],
        [
            r#"Text("x\\n")"#,
            "Missing",
            "InText",
            "InText",
            "Missing",
            "Missing",
            "InText"
        ]
    );
    assert_eq!(values(&chunk, &["nothing"])[..11], missing(11));
    assert_eq!(values(&chunk, &[])[10], "Integer(3)");
    let beyond = chunk.rows();
    assert!(chunk.column(["a"]).get(beyond).is_err());
}

/// Whether a column's value is what `serde_json` finds; what only the text tells is always right.
fn agrees(value: Value<'_>, found: Option<&Json>) -> bool {
    let number = |float: f64| found.and_then(Json::as_f64) == Some(float);
    match value {
        Value::Missing => found.is_none(),
        Value::Null => found == Some(&Json::Null),
        Value::Bool(value) => found == Some(&Json::Bool(value)),
        Value::Integer(value) => found.and_then(Json::as_i64) == Some(value),
        Value::Unsigned(value) => found.and_then(Json::as_u64) == Some(value),
        Value::Decimal { digits, places } => number(digits as f64 / 10_f64.powi(places as i32)),
        Value::Float(value) => number(value),
        Value::Text(text) => {
            let text = serde_json::from_str::<String>(&format!("\"{text}\""));
            found.and_then(Json::as_str) == Some(&*text.unwrap())
        }
        Value::Json(text) => found == Some(&serde_json::from_str(text).unwrap()),
        Value::InText => true,
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_column_holds_what_a_parser_finds_in_the_rows(texts in prop::collection::vec(json(), 1..40)) {
        let chunk = packed_texts(&texts);
        for path in [&[] as &[&str], &["a"], &["b"], &["a", "b"], &["", ""], &["wind speed"], &["a", "a", "a"]] {
            let mut column = chunk.column(path.iter().copied());
            for (row, text) in texts.iter().enumerate() {
                // A number beyond all floats and half a surrogate are JSON that `serde_json` has no value for.
                let Ok(json) = serde_json::from_str::<Json>(text) else { continue };
                let found = path.iter().try_fold(&json, |json, name| json.as_object()?.get(*name));
                let value = column.get(row).unwrap();
                // Arrays are places by number for those who ask for that.
                prop_assert!(agrees(value, found), "{value:?} at {path:?} of {text}");
            }
        }
    }
}
