//! JSON of every kind, as it is usually written and otherwise.

use proptest::prelude::*;

/// Numbers as they can be written, most of them in more ways than one.
pub(crate) const NUMBERS: [&str; 32] = [
    "0",
    "-0",
    "-0.0",
    "0.0",
    "1",
    "-1",
    "1.50",
    "1.5",
    "1.0",
    "1.00",
    "10",
    "1e5",
    "1E5",
    "1e+5",
    "1e-7",
    "1.5e-7",
    "1e16",
    "1e+16",
    "21.53",
    "-21.53",
    "0.1",
    "0.30000000000000004",
    "123456789012345.6",
    "12345678901234567.8",
    "999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1180591620717411303424",
    "5e-324",
    "1.7976931348623157e+308",
    "1e999",
];

pub(crate) const ODD: [&str; 18] = [
    "null",
    "true",
    "false",
    "{}",
    "[]",
    r#""""#,
    r#""é \u00e9 \" \\ \/ \ud83d\ude00 😀""#,
    r#""\ud800""#,
    "[ ]",
    "{ }",
    r#"{"a" :1}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"a":1,"b":2,"a":3}"#,
    r#"{"\u0061":1,"a":2}"#,
    r#"{"":{"":""}}"#,
    "[1,[2,[3]]]",
    r#""2026-11-30T18:49:16.250Z""#,
    r#""123e4567-e89b-12d3-a456-426614174000""#,
];

/// A value, most often as `serde_json` writes it.
pub(crate) fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(&NUMBERS[..]).prop_map(str::to_owned),
        4 => prop::sample::select(&ODD[..]).prop_map(str::to_owned),
        2 => any::<i64>().prop_map(|number| number.to_string()),
        2 => any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
        2 => (any::<i32>(), 0_u32..9).prop_map(|(digits, places)| {
            serde_json::to_string(&(f64::from(digits) / 10_f64.powi(places as i32))).unwrap()
        }),
        2 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let name = prop_oneof![
            8 => prop::sample::select(&["a", "b", "c", "wind speed", "é", ""][..]).prop_map(|name| format!("{name:?}")),
            1 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        ];
        let space = prop::sample::select(&["", "", "", "", "", " ", "\n\t"][..]);
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..5), space.clone())
                .prop_map(|(elements, space)| format!("[{}]", elements.join(&format!(",{space}")))),
            (prop::collection::vec((name, inner), 0..6), space).prop_map(|(members, space)| {
                let members: Vec<_> = members.into_iter().map(|(name, value)| format!("{name}:{space}{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}
