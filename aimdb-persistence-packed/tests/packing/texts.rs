//! Every JSON text comes back byte for byte.

use proptest::prelude::*;

use crate::arbitrary::{NUMBERS, ODD, json};
use crate::rows::{packed, packed_texts};
use aimdb_persistence_packed::RowIn;

#[test]
fn every_odd_text_comes_back_alone_and_among_others() {
    let all: Vec<_> = NUMBERS.iter().chain(&ODD).copied().collect();
    packed_texts(&all);
    for text in &all {
        packed_texts(&[text]);
        let within = [
            format!(r#"{{"a":{text}}}"#),
            r#"{"a":1}"#.into(),
            format!("[{text},{text}]"),
        ];
        packed_texts(&within);
        let spaced: Vec<_> = within.iter().map(|text| format!(" {text}\n")).collect();
        packed_texts(&spaced);
    }
}

#[test]
fn what_is_no_json_comes_back_as_well() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[1,",
        "nul",
        "01",
        "1.",
        r#"{"a"}"#,
        r#"{"a":}"#,
        "\"",
        "\"\\\"",
        "\u{0}",
        "{]",
        "[}",
        "1 2",
    ] {
        packed_texts(&[text, "1", text]);
    }
}

#[test]
fn deep_nesting_comes_back() {
    for depth in [1, 23, 24, 25, 26, 500, 50_000] {
        packed_texts(&["[".repeat(depth) + &"]".repeat(depth), "[[]]".into()]);
        packed_texts(&[r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth)]);
        packed_texts(&["[".repeat(depth)]);
    }
}

#[test]
fn ten_thousand_names_come_back() {
    let object = |count: usize, value: usize| {
        let members: Vec<_> = (0..count)
            .map(|name| format!(r#""name {name}":{}"#, name * value))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    packed_texts(&[object(10_000, 1), object(10_000, 2), object(3, 3)]);
    packed_texts(&[object(2_000, 1), object(2_100, 2), object(10, 3)]);
}

#[test]
fn a_list_of_objects_that_have_nothing_in_common_comes_back() {
    let objects: Vec<_> = (0..1_900)
        .map(|name| format!(r#"{{"name {name}":1}}"#))
        .collect();
    let list = format!("[{}]", objects.join(","));
    packed_texts(&[
        format!("[{}]", vec!["1"; 100].join(",")),
        list.clone(),
        list,
    ]);
}

#[test]
fn members_that_come_and_go_keep_their_order() {
    packed_texts(&[
        r#"{"a":1,"d":2}"#,
        r#"{"a":1,"b":null,"d":2}"#,
        r#"{"a":1,"b":3,"c":4,"d":2,"e":5}"#,
        r#"{"z":1,"a":1}"#,
        r#"{"d":1,"a":1}"#,
        r#"{"c":{"x":1}}"#,
        r#"{"c":{"x":1,"y":[1,2]}}"#,
        r#"{"c":{"y":[1,2,3]}}"#,
        r#"{"c":{"y":[]}}"#,
        "{}",
        "null",
    ]);
}

/// As a series has them: mostly of one shape, with times and sequences of any kind.
fn series() -> impl Strategy<Value = Vec<(u64, u64, u32, String)>> {
    let several = prop::collection::vec(json(), 1..5);
    let rows = prop::collection::vec(
        (
            any::<u64>(),
            any::<u64>(),
            any::<u32>(),
            any::<prop::sample::Index>(),
        ),
        1..300,
    );
    (several, rows, 0_u32..64).prop_map(|(texts, rows, shift)| {
        let row = |(time, sequence, version, index): (u64, u64, u32, prop::sample::Index)| {
            (
                time >> shift,
                sequence >> shift,
                version >> (shift / 2),
                index.get(&texts).clone(),
            )
        };
        rows.into_iter().map(row).collect()
    })
}

proptest! {
    #[test]
    fn any_json_comes_back(texts in prop::collection::vec(json(), 1..40)) {
        packed_texts(&texts);
    }

    #[test]
    fn any_series_comes_back(rows in series()) {
        let rows: Vec<_> = rows.iter().map(|(stored_at, sequence, version, text)| RowIn {
            stored_at: *stored_at,
            sequence: *sequence,
            version: *version,
            text,
        }).collect();
        packed(&rows);
    }

    #[test]
    fn any_text_comes_back(texts in prop::collection::vec(any::<String>(), 1..20)) {
        packed_texts(&texts);
    }
}
