//! What is stored comes back as it was.

use serde_json::{Value, json};

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::QueryParams;

pub(crate) async fn an_empty_backend_answers_empty(subject: Subject) {
    for pattern in ["a", "a.b", "a.*", "a::*", "temp*", "#", "*"] {
        let promise = format!("a backend without rows must answer `{pattern}` with none");
        expect_rows(&subject.select(pattern).await, &[], &promise);
        let read = subject.read(read_request(pattern)).await;
        expect_rows(&read, &[], &promise);
    }
    for older_than in [0, 1, u64::MAX] {
        let removed = subject.cleanup(older_than).await;
        assert_eq!(removed, 0, "there was no row that cleanup could remove");
    }
    subject.flush().await;
}

pub(crate) async fn a_stored_value_comes_back_as_it_was(subject: Subject) {
    let values = awkward_values().into_iter().chain(awkward_numbers());
    let stored: Vec<_> = values
        .enumerate()
        .map(|(index, value)| row("value", index as u64, value))
        .collect();
    subject.store_all(&stored).await;
    for expected in &stored {
        let at_its_time = QueryParams {
            start_time: Some(expected.stored_at),
            end_time: Some(expected.stored_at),
            ..QueryParams::default()
        };
        let actual = subject.query("value", at_its_time).await;
        let promise = "a stored value must come back as it was";
        expect_rows(&actual, std::slice::from_ref(expected), promise);
    }
    let read = subject.read(read_request("value")).await;
    expect_rows(
        &read,
        &in_order(&stored),
        "reading must return the values that were stored",
    );
}

fn awkward_values() -> Vec<Value> {
    let depth = 60;
    vec![
        Value::Null,
        json!(true),
        json!({}),
        json!([]),
        json!(""),
        json!("null"),
        json!("quote \" apostrophe ' backslash \\ slash / percent % semicolon ;"),
        json!("line\nfeed\r\ttab\u{8}\u{c} NUL \u{0} DEL \u{7f} \u{2028}"),
        json!("grüße 東京 😀 e\u{301} \u{10ffff} \u{feff}"),
        json!({"": {"a.b": [1, "two", null, {"x::y": false}]}, "\"": 1, "schlüssel 😀": "\\u0041"}),
        (0..depth).fold(json!(1), |inner, _| json!([inner])),
        (0..depth).fold(json!(1), |inner, _| json!({ "in": inner })),
        json!({ "text": "0123456789abcdef".repeat(64 * 1024) }),
        (0..10_000).collect(),
    ]
}

/// Integers at the ends of their ranges, and floats that a careless parser brings back one digit off.
fn awkward_numbers() -> Vec<Value> {
    let ends = [
        json!(u64::MAX),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(9_007_199_254_740_993_u64), // the first integer that an f64 does not hold
        json!(0),
        json!(0.0),
        json!(1.0),
        json!(0.1 + 0.2),
        json!(f64::MAX),
        json!(f64::MIN_POSITIVE),
        json!(5e-324),
        json!(-1.7e-9),
    ];
    let roots = (1..=200).map(|n| json!(f64::from(n).sqrt() / 3.0));
    ends.into_iter().chain(roots).collect()
}

pub(crate) async fn a_deeply_nested_value_does_no_harm(subject: Subject) {
    let mut stored = vec![row("deep", 1, 1)];
    subject.store_all(&stored).await;
    let deep = (0..300).fold(json!(1), |inner, _| json!([inner]));
    let deep = row("deep", 2, deep);
    if subject.try_store(&deep).await.is_ok() {
        stored.push(deep);
    }
    expect_rows(
        &subject.select("deep").await,
        &in_order(&stored),
        "a value nested 300 levels deep must be refused, or come back without spoiling the query",
    );
    let page = subject.page(read_request("deep")).await;
    assert_eq!(
        page.rows.len(),
        stored.len(),
        "reading must return the deeply nested row, if it was stored, and its neighbour"
    );
}

pub(crate) async fn the_first_and_the_last_storable_time_are_kept(subject: Subject) {
    let last = i64::MAX as u64;
    let stored = [
        row("time", last, "last"),
        row("time", 0, "first"),
        row("time", 1, "second"),
        row("time", last - 1, "last but one"),
    ];
    subject.store_all(&stored).await;
    expect_rows(
        &subject.select("time").await,
        &in_order(&stored),
        "every time from 0 to i64::MAX must be kept and ordered",
    );
    for expected in &stored {
        let at_its_time = QueryParams {
            start_time: Some(expected.stored_at),
            end_time: Some(expected.stored_at),
            ..QueryParams::default()
        };
        expect_rows(
            &subject.query("time", at_its_time).await,
            std::slice::from_ref(expected),
            "a row must be found at its own time, from 0 to i64::MAX",
        );
    }
}

pub(crate) async fn initializing_again_keeps_every_row(subject: Subject) {
    subject.store("kept", 1, 1).await;
    let again = subject.backend.initialize().await;
    again.expect("each database that shares a backend initializes it");
    expect_rows(
        &subject.select("#").await,
        &[row("kept", 1, 1)],
        "a second database that initializes the backend must not lose the first one's rows",
    );
}

pub(crate) async fn a_flush_ends_and_keeps_every_row(subject: Subject) {
    let stored = [row("flushed", 1, 1), row("flushed", 2, 2)];
    subject.store_all(&stored).await;
    subject.flush().await;
    subject.flush().await;
    expect_rows(
        &subject.select("#").await,
        &in_order(&stored),
        "a flush must neither lose nor double a row",
    );
}
