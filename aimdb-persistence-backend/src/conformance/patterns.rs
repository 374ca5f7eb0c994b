//! A pattern selects what the grammar says and never a row outside it; a key is literal.

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::StoredValue;
use crate::contract::pattern::Pattern;

/// One row of each of these records, sorted by name.
async fn store_one_of_each(subject: &Subject, names: &[&str]) -> Vec<StoredValue> {
    let stored: Vec<_> = names.iter().map(|name| row(name, 1, *name)).collect();
    subject.store_all(&stored).await;
    in_order(&stored)
}

async fn expect_names(subject: &Subject, pattern: &str, expected: &[&str], promise: &str) {
    let expected: Vec<_> = expected.iter().map(|name| row(name, 1, *name)).collect();
    let promise = format!("{promise} (`{pattern}`)");
    let expected = in_order(&expected);
    expect_rows(&subject.select(pattern).await, &expected, &promise);
    let read = subject.read(read_request(pattern)).await;
    expect_rows(&read, &expected, &promise);
}

pub(crate) async fn a_pattern_selects_no_row_outside_it(subject: Subject) {
    let names = [
        "sensors",
        "sensors.a",
        "sensors.secret.deep",
        "sensorsx.a",
        "a.b",
        "a::b",
        "a.b::c",
        "a::b.c",
        "temp",
        "temperature",
        "temp.sf",
        "TEMP",
    ];
    store_one_of_each(&subject, &names).await;
    let promise = "a pattern must select the records of the grammar and no other";
    for (pattern, expected) in [
        ("sensors.*", &["sensors.a"][..]),
        (
            "sensors.#",
            &["sensors", "sensors.a", "sensors.secret.deep"],
        ),
        ("sensors*.a", &["sensors.a", "sensorsx.a"]),
        ("*.*.deep", &["sensors.secret.deep"]),
        ("#.deep", &["sensors.secret.deep"]),
        ("a.*", &["a.b"]),
        ("a::*", &["a::b"]),
        ("a.#", &["a.b", "a.b::c"]),
        ("#.c", &["a::b.c"]),
        ("*::c", &[]),
        ("temp*", &["temp", "temperature"]),
        ("*p", &["temp"]),
        ("t*p*e", &["temperature"]),
        ("temp.*", &["temp.sf"]),
        ("T*", &["TEMP"]),
        ("nothing.*", &[]),
    ] {
        expect_names(&subject, pattern, expected, promise).await;
    }
    let thousand_hashes = vec!["#"; 1_000].join(".");
    for pattern in ["*.*", "*.#", "#.#", "**", "*::#.*", &thousand_hashes] {
        let parsed = Pattern::parse(pattern).expect("a well-formed pattern");
        let expected = names.into_iter().filter(|name| parsed.matches(name));
        let expected: Vec<_> = expected.collect();
        expect_names(&subject, pattern, &expected, promise).await;
    }
}

pub(crate) async fn the_lone_wildcards_select_every_record(subject: Subject) {
    let names = ["a", "a.b", "a::b", "a.b::c.d", "😀", "Z"];
    store_one_of_each(&subject, &names).await;
    for pattern in ["*", "#"] {
        let promise = "a wildcard alone must select every record";
        expect_names(&subject, pattern, &names, promise).await;
    }
}

/// Valid keys that a storage's own matching, quoting, padding or folding would confuse with one
/// another.
const ODD_KEYS: [&str; 24] = [
    "a",
    "ab",
    "A",
    " a",
    "a ",
    "a:b",
    "a%",
    "a_",
    "%",
    "_",
    "b_b",
    "bxb",
    "[a]",
    "?",
    "a?",
    "it's",
    "\"a\"",
    "a\\b",
    "a/b",
    "a;b--",
    "é",
    "e\u{301}",
    "😀",
    "$a ?1 :a @a",
];

pub(crate) async fn an_exact_key_is_literal(subject: Subject) {
    let long = "k".repeat(1_000);
    let mut keys = ODD_KEYS.to_vec();
    keys.push(&long);
    let rows = store_one_of_each(&subject, &keys).await;
    for expected in &rows {
        let key = &expected.record_name;
        let promise = "a key must select its own record, byte for byte, and no other";
        expect_names(&subject, key, &[key], promise).await;
    }
    expect_rows(
        &subject.select("#").await,
        &rows,
        "every valid key must be a record of its own",
    );
    for absent in ["AB", "a%b", "b%b", "kk", "É", "👍"] {
        let promise = "a key without rows must select nothing";
        expect_names(&subject, absent, &[], promise).await;
    }
}

pub(crate) async fn wildcards_are_the_only_special_characters(subject: Subject) {
    store_one_of_each(&subject, &ODD_KEYS).await;
    let promise = "in a pattern only `*` and `#` may have a meaning";
    for (pattern, expected) in [
        ("b_*", &["b_b"][..]),
        ("*%", &["%", "a%"]),
        ("*_", &["_", "a_"]),
        ("[*", &["[a]"]),
        ("[a]*", &["[a]"]),
        ("*?", &["?", "a?"]),
        ("it's*", &["it's"]),
        ("\"*", &["\"a\""]),
        ("a\\*", &["a\\b"]),
        ("A*", &["A"]),
        ("e*", &["e\u{301}"]),
        ("😀*", &["😀"]),
    ] {
        expect_names(&subject, pattern, expected, promise).await;
    }
}

pub(crate) async fn a_malformed_pattern_selects_nothing(subject: Subject) {
    let names = ["a", "a.b", "a::b", "b", "a.b.c"];
    let rows = store_one_of_each(&subject, &names).await;
    for pattern in [
        "a..*", "*.", ".*", "a.*.", "a#", "a.#b", "a:::*", "*::::*", "",
    ] {
        if let Ok(selected) = subject.backend.query(pattern, Default::default()).await {
            let promise =
                format!("`{pattern}` is no pattern and no record's key: it selects no row");
            expect_rows(&selected, &[], &promise);
        }
    }
    expect_rows(
        &subject.select("#").await,
        &rows,
        "a malformed pattern must leave the backend as it was",
    );
}
