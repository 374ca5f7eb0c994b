//! Conditions, each as a query has it and as a list would be searched.

use serde_json::{Value, json};

use crate::declaration::field::Field;
use crate::query::filter::Filter;

/// A condition, twice.
pub(crate) type Twin = (Filter<Value>, fn(&Value) -> bool);

pub(crate) fn filters() -> Vec<Twin> {
    const V: Field<Value, f64> = Field::at(&["v"]);
    const N: Field<Value, u64> = Field::at(&["n"]);
    const ON: Field<Value, bool> = Field::at(&["on"]);
    const STATE: Field<Value, String> = Field::at(&["state"]);
    const INNER: Field<Value, Value> = Field::at(&["inner"]);
    const TEXT: Field<Value, String> = Field::at(&["text"]);
    const MAYBE: Field<Value, Option<u64>> = Field::at(&["maybe"]);
    let text = INNER.then(TEXT);
    let maybe = INNER.then(MAYBE);
    vec![
        (V.gt(12.5), |v| v["v"].as_f64().is_some_and(|v| v > 12.5)),
        (V.le(0.0), |v| v["v"].as_f64().is_some_and(|v| v <= 0.0)),
        (V.eq(12.5), |v| v["v"].as_f64() == Some(12.5)),
        (V.ne(12.5), |v| v["v"].as_f64() != Some(12.5)),
        (V.within(0.0..10.0), |v| {
            v["v"].as_f64().is_some_and(|v| (0.0..10.0).contains(&v))
        }),
        (N.ge(u64::MAX), |v| {
            v["n"].as_u64() == Some(u64::MAX) || v["n"] == json!(1e300)
        }),
        (N.is_in([3, 4, 5]), |v| {
            v["n"].as_u64().is_some_and(|n| (3..=5).contains(&n))
        }),
        (ON.is_true(), |v| v["on"] == json!(true)),
        (ON.lt(true), |v| v["on"] == json!(false)),
        (!STATE.eq("Idle"), |v| v["state"] != json!("Idle")),
        (STATE.gt("Idle"), |v| {
            v["state"].as_str().is_some_and(|state| state > "Idle")
        }),
        (text.ends_with(" 4"), |v| {
            v["inner"]["text"]
                .as_str()
                .is_some_and(|text| text.ends_with(" 4"))
        }),
        (text.starts_with("text") & text.contains("x"), |v| {
            v["inner"]["text"]
                .as_str()
                .is_some_and(|text| text.starts_with("text"))
        }),
        (text.eq("π"), |v| v["inner"]["text"] == json!("π")),
        (maybe.is_none() | V.lt(-5.0), |v| {
            v["inner"].get("maybe").is_none_or(Value::is_null)
                || v["v"].as_f64().is_some_and(|v| v < -5.0)
        }),
        (maybe.gt(2) & maybe.is_some(), |v| {
            v["inner"]["maybe"].as_u64().is_some_and(|maybe| maybe > 2)
        }),
        (maybe.eq(None), |v| {
            v["inner"].get("maybe").is_none_or(Value::is_null)
        }),
    ]
}
