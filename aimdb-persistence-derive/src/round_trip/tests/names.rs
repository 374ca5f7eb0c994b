//! Names that are shared, and fields that are flattened together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{compare, messages};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Wind {
    gust: u8,
}

impl Wind {
    fn is_calm(&self) -> bool {
        self.gust == 0
    }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Rain {
    mm: u8,
}

fn some<V>(value: V) -> BTreeMap<String, V> {
    BTreeMap::from([("other".to_owned(), value)])
}

#[test]
#[allow(unreachable_patterns, non_snake_case)]
fn names_that_two_fields_or_variants_share() {
    compare! {
        struct Renamed [{ a: u8, #[serde(rename = "a")] b: u8 }] => Renamed { a: 1, b: 2 };
        struct RenamedAndSkipped [{ a: u8, #[serde(rename = "a", skip)] b: u8 }] => RenamedAndSkipped { a: 1, b: 0 };
        struct RenamedAndUnwritten [{ #[serde(rename = "b", skip_serializing, default)] a: u8, b: u8 }]
            => RenamedAndUnwritten { a: 0, b: 2 };
        struct AliasBefore [{ #[serde(alias = "b")] a: u8, b: u8 }] => AliasBefore { a: 1, b: 2 };
        struct AliasAfter [{ b: u8, #[serde(alias = "b")] a: u8 }] => AliasAfter { a: 1, b: 2 };
        #[serde(rename_all = "camelCase")]
        struct Rule [{ a_b: u8, aB: u8 }] => Rule { a_b: 1, aB: 2 };
        #[serde(rename_all = "lowercase")]
        enum Variants [{ #[default] AB, Ab(u8) }] => Variants::AB, Variants::Ab(1);
        enum AliasOfVariant [{ #[default] #[serde(alias = "B")] A, B(u8) }] => AliasOfVariant::A, AliasOfVariant::B(1);
        #[serde(untagged)]
        enum WithoutNames [{ #[serde(rename = "B")] A { a: u8 }, B { b: u8 }, #[default] C }]
            => WithoutNames::A { a: 1 }, WithoutNames::B { b: 2 }, WithoutNames::C;
        #[serde(tag = "a")]
        struct Tag [{ a: u8 }] => Tag { a: 1 };
        #[serde(tag = "kind")]
        struct OtherTag [{ a: u8 }] => OtherTag { a: 1 };
        struct ReadAs [{ #[serde(rename(deserialize = "b"))] a: u8 }] => ReadAs { a: 1 };
        struct ReadAsBoth [{ #[serde(rename(deserialize = "b"), alias = "a")] a: u8 }] => ReadAsBoth { a: 1 };
    }
}

#[test]
fn fields_that_are_flattened() {
    compare! {
        struct One [{ #[serde(flatten)] a: Wind, b: u8 }] => One { a: Wind { gust: 1 }, b: 2 };
        struct Two [{ #[serde(flatten)] a: Wind, #[serde(flatten)] b: Rain }]
            => Two { a: Wind { gust: 1 }, b: Rain { mm: 2 } };
        struct Same [{ #[serde(flatten)] a: Wind, #[serde(flatten)] b: Wind }]
            => Same { a: Wind { gust: 1 }, b: Wind { gust: 2 } };
        struct SameOption [{ #[serde(flatten)] a: Wind, #[serde(flatten)] b: Option<Wind> }]
            => SameOption { a: Wind { gust: 1 }, b: Some(Wind { gust: 2 }) };
        struct MapLast [{ #[serde(flatten)] a: Wind, #[serde(flatten)] b: BTreeMap<String, u8>, c: u8 }]
            => MapLast { a: Wind { gust: 1 }, b: some(2), c: 3 };
        struct MapFirst [{ #[serde(flatten)] a: BTreeMap<String, u8>, #[serde(flatten)] b: Wind }]
            => MapFirst { a: some(2), b: Wind { gust: 1 } };
        #[serde(tag = "type")]
        struct TaggedMap [{ #[serde(flatten)] a: BTreeMap<String, String> }] => TaggedMap { a: some("b".to_owned()) };
        #[serde(tag = "type")]
        enum TaggedVariant [{ #[default] Other, V { #[serde(flatten)] a: BTreeMap<String, String> } }]
            => TaggedVariant::V { a: some("b".to_owned()) };
        struct Absent [{ #[serde(flatten, skip_serializing_if = "Option::is_none")] a: Option<Wind> }]
            => Absent { a: None }, Absent { a: Some(Wind { gust: 1 }) };
        struct AbsentMap [{ #[serde(flatten)] a: Option<BTreeMap<String, u8>> }] => AbsentMap { a: None };
        struct AbsentFields [{ #[serde(flatten, skip_serializing_if = "Wind::is_calm")] a: Wind }]
            => AbsentFields { a: Wind { gust: 0 } };
        struct Number [{ #[serde(flatten)] a: u8 }] => Number { a: 1 };
        #[serde(deny_unknown_fields)]
        struct StrictMap [{ #[serde(flatten)] a: BTreeMap<String, u8> }] => StrictMap { a: some(1) };
        #[serde(tag = "type", deny_unknown_fields)]
        struct StrictTag [{ a: u8 }] => StrictTag { a: 1 };
        #[serde(tag = "type", deny_unknown_fields)]
        enum StrictVariant [{ #[default] Other, V { a: u8 } }] => StrictVariant::V { a: 1 };
    }
}

/// serde documents that it does not support this, and it works for some types.
#[test]
fn denied_fields_beside_flattened_ones_are_refused_whatever_becomes_of_them() {
    let item = "#[serde(deny_unknown_fields)] struct Weather { #[serde(flatten)] wind: Wind }";
    assert!(messages(item).contains("does not support"));
}
