//! The attributes of a field in every shape of a type.

use super::compare;

fn is_zero(number: &u8) -> bool {
    *number == 0
}

fn one() -> Option<u8> {
    Some(1)
}

/// Each line is the attributes of a field, its type, and values of it.
macro_rules! in_every_shape {
    ($(($($attribute:tt)*) $of:ty = $($value:expr),+;)+) => {$(
        compare! {
            struct Named [{ #[serde($($attribute)*)] field: $of, other: u8 }]
                => $(Named { field: $value, other: 9 }),+;
            #[serde(deny_unknown_fields)]
            struct Strict [{ #[serde($($attribute)*)] field: $of, other: u8 }]
                => $(Strict { field: $value, other: 9 }),+;
            struct First [(#[serde($($attribute)*)] $of, #[serde(default)] u8);]
                => $(First($value, 9)),+;
            struct Last [(u8, #[serde($($attribute)*)] $of);]
                => $(Last(9, $value)),+;
            struct Newtype [(#[serde($($attribute)*)] $of);]
                => $(Newtype($value)),+;
            enum NamedVariant [{ #[default] Other, V { #[serde($($attribute)*)] field: $of, other: u8 } }]
                => $(NamedVariant::V { field: $value, other: 9 }),+;
            enum LastOfVariant [{ #[default] Other, V(u8, #[serde($($attribute)*)] $of) }]
                => $(LastOfVariant::V(9, $value)),+;
            enum NewtypeVariant [{ #[default] Other, V(#[serde($($attribute)*)] $of) }]
                => $(NewtypeVariant::V($value)),+;
            #[serde(tag = "type")]
            enum TaggedNamedVariant [{ #[default] Other, V { #[serde($($attribute)*)] field: $of, other: u8 } }]
                => $(TaggedNamedVariant::V { field: $value, other: 9 }),+;
            #[serde(tag = "type", content = "content")]
            enum AdjacentFirstOfVariant [{ #[default] Other, V(#[serde($($attribute)*)] $of, #[serde(default)] u8) }]
                => $(AdjacentFirstOfVariant::V($value, 9)),+;
            #[serde(tag = "type", content = "content")]
            enum AdjacentNewtypeVariant [{ #[default] Other, V(#[serde($($attribute)*)] $of) }]
                => $(AdjacentNewtypeVariant::V($value)),+;
            #[serde(untagged)]
            enum UntaggedNamedVariant [{ V { #[serde($($attribute)*)] field: $of, other: u8 }, #[default] Other }]
                => $(UntaggedNamedVariant::V { field: $value, other: 9 }),+;
            #[serde(untagged)]
            enum UntaggedFirstOfVariant [{ V(#[serde($($attribute)*)] $of, #[serde(default)] u8), #[default] Other }]
                => $(UntaggedFirstOfVariant::V($value, 9)),+;
        }
    )+};
}

#[test]
fn fields_that_are_left_out_at_times() {
    in_every_shape! {
        () Option<u8> = None, Some(1);
        (default) Option<u8> = None, Some(1);
        (skip_serializing_if = "Option::is_none") Option<u8> = None, Some(1);
        (skip_serializing_if = "Option::is_none", default) Option<u8> = None, Some(1);
        (skip_serializing_if = "Option::is_none", default = "one") Option<u8> = None, Some(1);
        (skip_serializing_if = "is_zero") u8 = 0, 1;
        (skip_serializing_if = "is_zero", default) u8 = 0, 1;
    }
}

#[test]
fn fields_that_are_never_read_or_never_written() {
    in_every_shape! {
        (skip) u8 = 0;
        (skip_serializing) u8 = 0;
        (skip_serializing, skip_deserializing) u8 = 0;
    }
    // Without a name, what is not read takes the position of what is.
    compare! {
        struct First [(#[serde(skip_deserializing)] u8, u8);] => First(1, 2);
        struct Last [(u8, #[serde(skip_deserializing)] u8);] => Last(2, 1);
        struct LastUnwritten [(u8, #[serde(skip_serializing, default)] u8);] => LastUnwritten(2, 0);
        enum Variant [{ #[default] Other, V(#[serde(skip_deserializing)] u8) }] => Variant::V(0);
        #[serde(deny_unknown_fields)]
        struct Strict [{ #[serde(skip_deserializing)] unread: u8 }] => Strict { unread: 0 };
        struct Named [{ #[serde(skip_deserializing)] unread: u8 }] => Named { unread: 0 };
    }
}

mod text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[test]
fn fields_that_functions_write_and_read() {
    in_every_shape! {
        (with = "text") u8 = 1;
        (serialize_with = "text::serialize") u8 = 1;
        (serialize_with = "text::serialize", deserialize_with = "text::deserialize") u8 = 1;
    }
    compare! {
        enum Variant [{ #[default] Other, #[serde(serialize_with = "text::serialize")] V(u8) }] => Variant::V(1);
        enum Both [{ #[default] Other, #[serde(with = "text")] V(u8) }] => Both::V(1);
    }
}

#[test]
fn variants_that_are_not_read_or_not_written() {
    compare! {
        enum Unwritten [{ #[default] Other, #[serde(skip_serializing)] V }] => Unwritten::V;
        enum Unread [{ #[default] Other, #[serde(skip_deserializing)] V }] => Unread::V;
        #[serde(tag = "type")]
        enum UnreadTagged [{ #[default] Other, #[serde(skip_deserializing)] V { a: u8 } }] => UnreadTagged::V { a: 1 };
        enum UnreadContent [{ #[default] Other, V(#[serde(skip_deserializing)] u8) }] => UnreadContent::V(0);
        enum Skipped [{ #[default] Other, #[serde(skip)] V }] => Skipped::Other;
    }
}
