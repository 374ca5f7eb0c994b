//! The names that are computed here are those that serde_json writes.

use serde::Serialize;
use serde_json::{Value, json};
use syn::parse_str;

use super::{Shape, Stored};
use crate::errors::Errors;
use crate::serde_model::item::Item;

/// Where each field of a type lies, in the order of the source.
fn stored(item: &str) -> Vec<Stored> {
    let input = parse_str(item).expect("the item parses");
    let shape = Shape::read(&Item::read(&input), &mut Errors::default());
    let fields = shape.fields().into_iter();
    fields.map(|field| field.stored.clone()).collect()
}

/// What is found under these names.
fn find<'v>(value: &'v Value, names: &[String]) -> Option<&'v Value> {
    names.iter().try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    })
}

/// Whether every field that was given a number is found where it is said to lie, and what is left out is not written.
fn assert_stored(item: &str, value: &impl Serialize, numbers: &[u64]) {
    let json = serde_json::to_value(value).expect("the value can be written");
    let stored = stored(item);
    assert_eq!(stored.len(), numbers.len(), "{item}");
    for (stored, number) in stored.iter().zip(numbers) {
        match stored {
            Stored::At(names) if *number > 0 => {
                let found = find(&json, names);
                assert_eq!(found, Some(&json!(number)), "{names:?} of {json} in {item}");
            }
            Stored::LeftOut => {
                let text = json.to_string();
                assert!(!text.contains(&number.to_string()), "{number} in {text}");
            }
            Stored::At(_) | Stored::Flattened(_) | Stored::Unknown => {}
        }
    }
}

/// Declares a type, and compares a value of it with what is computed from the type's source. Each number is the value of
/// the field of its position, 0 that of one which this value has not.
macro_rules! assert_stored {
    ($item:item => $($value:expr, [$($number:expr),*]);+ $(;)?) => {{
        #![allow(dead_code, non_snake_case, nonstandard_style)]
        $item
        let item = stringify!($item);
        $(assert_stored(item, &$value, &[$($number),*]);)+
    }};
}

#[test]
fn fields_are_stored_under_their_own_names() {
    assert_stored! {
        #[derive(Serialize)]
        struct Plain {
            celsius: u8,
            r#type: u8,
            größe: u8,
        } => Plain { celsius: 11, r#type: 12, größe: 13 }, [11, 12, 13]
    }
}

#[test]
fn a_name_follows_rename() {
    assert_stored! {
        #[derive(Serialize)]
        #[serde(rename_all = "UPPERCASE")]
        struct Renamed {
            #[serde(rename = "temperature in °C")]
            celsius: u8,
            #[serde(rename(serialize = "written", deserialize = "read"))]
            other: u8,
            #[serde(rename(deserialize = "read"))]
            third: u8,
            #[serde(default, rename = "d.o.t", skip_serializing_if = "Option::is_none")]
            dot: Option<u8>,
        } => Renamed { celsius: 11, other: 12, third: 13, dot: Some(14) }, [11, 12, 13, 14]
    }
}

/// The same fields and variants under each rule.
macro_rules! assert_rule {
    ($($rule:literal)*) => {$(
        assert_stored! {
            #[derive(Serialize)]
            #[serde(rename_all = $rule)]
            struct Fields {
                one: u8,
                two_words: u8,
                __three__odd_words_: u8,
                mixedCase: u8,
                UPPER_CASE: u8,
                with_1_digit2: u8,
                größe_der_öffnung: u8,
                r#type: u8,
            } => Fields {
                one: 11,
                two_words: 12,
                __three__odd_words_: 13,
                mixedCase: 14,
                UPPER_CASE: 15,
                with_1_digit2: 16,
                größe_der_öffnung: 17,
                r#type: 18,
            }, [11, 12, 13, 14, 15, 16, 17, 18]
        }
        assert_stored! {
            #[derive(Serialize)]
            #[serde(rename_all = $rule)]
            enum Variants {
                One(u8),
                TwoWords(u8),
                HTTPError(u8),
                With1Digit2(u8),
                snake_case(u8),
                GrößeDerÖffnung(u8),
            } =>
            Variants::One(11), [11, 0, 0, 0, 0, 0];
            Variants::TwoWords(11), [0, 11, 0, 0, 0, 0];
            Variants::HTTPError(11), [0, 0, 11, 0, 0, 0];
            Variants::With1Digit2(11), [0, 0, 0, 11, 0, 0];
            Variants::snake_case(11), [0, 0, 0, 0, 11, 0];
            Variants::GrößeDerÖffnung(11), [0, 0, 0, 0, 0, 11];
        }
    )*};
}

#[test]
fn a_name_follows_rename_all() {
    assert_rule! {
        "lowercase" "UPPERCASE" "PascalCase" "camelCase" "snake_case" "SCREAMING_SNAKE_CASE" "kebab-case"
        "SCREAMING-KEBAB-CASE"
    }
    assert_stored! {
        #[derive(Serialize)]
        #[serde(rename_all(serialize = "kebab-case", deserialize = "camelCase"))]
        struct OneWay {
            two_words: u8,
        } => OneWay { two_words: 11 }, [11]
    }
}

#[test]
fn a_tuple_is_an_array_and_a_newtype_its_value() {
    assert_stored! {
        #[derive(Serialize)]
        struct Tuple(u8, #[serde(skip)] u8, u8);
        => Tuple(11, 12, 13), [11, 12, 13]
    }
    assert_stored! {
        #[derive(Serialize)]
        struct Newtype(u8);
        => Newtype(11), [11]
    }
    assert_stored! {
        #[derive(Serialize)]
        struct AlmostNewtype(u8, #[serde(skip)] u8);
        => AlmostNewtype(11, 12), [11, 12]
    }
    assert_stored! {
        #[derive(Serialize)]
        #[serde(transparent)]
        struct Transparent {
            #[serde(skip)]
            skipped: u8,
            celsius: u8,
        } => Transparent { skipped: 11, celsius: 12 }, [11, 12]
    }
}

#[test]
fn what_is_skipped_is_left_out() {
    assert_stored! {
        #[derive(Serialize)]
        struct Skips {
            #[serde(skip)]
            skipped: u8,
            #[serde(skip_serializing, default)]
            unwritten: u8,
            #[serde(skip_deserializing)]
            unread: u8,
        } => Skips { skipped: 11, unwritten: 12, unread: 13 }, [11, 12, 13]
    }
    let item = "struct Skips { #[serde(skip)] a: u8, #[serde(skip_serializing)] b: u8, #[serde(skip_deserializing)] c: u8 }";
    let at_c = Stored::At(vec!["c".into()]);
    assert_eq!(stored(item), [Stored::LeftOut, Stored::LeftOut, at_c]);
}

#[test]
fn the_fields_of_a_variant_lie_where_the_enum_is_tagged() {
    macro_rules! assert_tagged {
        ($(#[$tag:meta])*) => {
            assert_stored! {
                #[derive(Serialize)]
                $(#[$tag])*
                #[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
                enum Door {
                    OpenedWide { opened_by: u8, at: u8 },
                    #[serde(rename = "SHUT", rename_all = "SCREAMING_SNAKE_CASE")]
                    Closed { closed_by: u8 },
                    #[serde(untagged)]
                    Other { some_code: u8 },
                } =>
                Door::OpenedWide { opened_by: 11, at: 12 }, [11, 12, 0, 0];
                Door::Closed { closed_by: 11 }, [0, 0, 11, 0];
                Door::Other { some_code: 11 }, [0, 0, 0, 11];
            }
        };
    }
    assert_tagged!();
    assert_tagged!(#[serde(tag = "type")]);
    assert_tagged!(#[serde(tag = "type", content = "value")]);
    assert_tagged!(#[serde(untagged)]);
}

#[test]
fn the_fields_of_a_tuple_variant_lie_where_the_enum_is_tagged() {
    macro_rules! assert_tagged {
        ($(#[$tag:meta])*) => {
            assert_stored! {
                #[derive(Serialize)]
                $(#[$tag])*
                enum Door {
                    Moved(u8, #[serde(skip)] u8, u8),
                    Jammed(u8),
                } =>
                Door::Moved(11, 12, 13), [11, 12, 13, 0];
                Door::Jammed(11), [0, 99, 0, 11];
            }
        };
    }
    assert_tagged!();
    assert_tagged!(#[serde(tag = "type", content = "value")]);
    assert_tagged!(#[serde(untagged)]);
}

#[test]
fn a_tagged_struct_keeps_its_names() {
    assert_stored! {
        #[derive(Serialize)]
        #[serde(tag = "type", rename = "reading")]
        struct Tagged {
            celsius: u8,
        } => Tagged { celsius: 11 }, [11]
    }
}

#[test]
fn fields_of_another_type_are_unknown_and_flattened_ones_are_not_named() {
    assert_eq!(
        stored("#[serde(into = \"Other\", from = \"Other\")] struct Converted { a: u8 }"),
        [Stored::Unknown]
    );
    assert_eq!(
        stored("enum Door { Opened { #[serde(flatten)] by: Person } }"),
        [Stored::Flattened(vec!["Opened".into()])]
    );
}
