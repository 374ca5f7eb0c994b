//! Types of fields, alone and behind what makes serde read a value before it knows the type.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::compare;

#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Place {
    #[default]
    Indoors,
}

/// Each line is a type and values of it.
macro_rules! behind_everything {
    ($($of:ty = $($value:expr),+;)+) => {$(
        compare! {
            struct Alone [{ a: $of }] => $(Alone { a: $value }),+;
            struct InAList [{ a: Vec<$of> }] => $(InAList { a: vec![$value] }),+;
            #[serde(tag = "type")]
            struct TaggedStruct [{ a: $of }] => $(TaggedStruct { a: $value }),+;
            enum Variant [{ #[default] Other, V { a: $of } }] => $(Variant::V { a: $value }),+;
            #[serde(tag = "type")]
            enum Tagged [{ #[default] Other, V { a: $of } }] => $(Tagged::V { a: $value }),+;
            #[serde(tag = "type", content = "content")]
            enum Adjacent [{ #[default] Other, V { a: $of } }] => $(Adjacent::V { a: $value }),+;
            #[serde(untagged)]
            enum Untagged [{ V { a: $of }, #[default] Other }] => $(Untagged::V { a: $value }),+;
            enum UntaggedVariant [{ #[default] Other, #[serde(untagged)] V { a: $of } }]
                => $(UntaggedVariant::V { a: $value }),+;
            struct BesideFlattened [{ #[serde(flatten)] other: BTreeMap<String, u8>, a: $of }]
                => $(BesideFlattened { other: BTreeMap::new(), a: $value }),+;
        }
    )+};
}

#[test]
fn types_whose_values_change_in_json() {
    behind_everything! {
        u64 = u64::MAX;
        i128 = -(1 << 100);
        Option<u128> = Some(1 << 100);
        Option<Option<u8>> = Some(None);
        Option<Box<Option<u8>>> = Some(Box::new(None));
        Option<()> = Some(());
        () = ();
        BTreeMap<String, u8> = BTreeMap::from([("a".to_owned(), 1)]);
        BTreeMap<char, u8> = BTreeMap::from([('a', 1)]);
        BTreeMap<Place, u8> = BTreeMap::from([(Place::Indoors, 1)]);
        BTreeMap<u32, u8> = BTreeMap::from([(7, 1)]);
        BTreeMap<bool, u8> = BTreeMap::from([(true, 1)]);
        HashMap<String, i128> = HashMap::from([("a".to_owned(), -(1 << 100))]);
        HashMap<(u8, u8), u8> = HashMap::from([((1, 2), 3)]);
        BTreeMap<Option<u8>, u8> = BTreeMap::from([(None, 1)]);
    }
}

#[test]
fn maps_that_are_flattened() {
    compare! {
        struct OfTexts [{ #[serde(flatten)] a: BTreeMap<String, u8> }]
            => OfTexts { a: BTreeMap::from([("b".to_owned(), 1)]) };
        struct OfNumbers [{ #[serde(flatten)] a: BTreeMap<u32, u8> }] => OfNumbers { a: BTreeMap::from([(7, 1)]) };
        struct ToWideNumbers [{ #[serde(flatten)] a: BTreeMap<String, u128> }]
            => ToWideNumbers { a: BTreeMap::from([("b".to_owned(), 1 << 100)]) };
    }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Wind {
    gust: u8,
}

/// Each line is the content of a variant and a value of it.
macro_rules! as_content {
    ($($of:ty = $value:expr;)+) => {$(
        compare! {
            enum External [{ #[default] Other, V($of) }] => External::V($value);
            #[serde(tag = "type")]
            enum Internal [{ #[default] Other, V($of) }] => Internal::V($value);
            #[serde(tag = "type", content = "content")]
            enum Adjacent [{ #[default] Other, V($of) }] => Adjacent::V($value);
        }
    )+};
}

#[test]
fn contents_among_which_a_tag_finds_no_place() {
    as_content! {
        Wind = Wind { gust: 1 };
        BTreeMap<String, u8> = BTreeMap::from([("a".to_owned(), 1)]);
        u8 = 1;
        f64 = 1.5;
        bool = true;
        String = "a".to_owned();
        Vec<u8> = vec![1];
        [u8; 2] = [1, 2];
        (u8, u8) = (1, 2);
        () = ();
        Option<Wind> = Some(Wind { gust: 1 });
        Box<u8> = Box::new(1);
        Box<Wind> = Box::new(Wind { gust: 1 });
    }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Text(String);

impl From<Converted> for Text {
    fn from(Converted { a }: Converted) -> Self {
        Self(format!("#{a}"))
    }
}

impl From<Text> for Converted {
    fn from(Text(text): Text) -> Self {
        Self {
            a: text.trim_start_matches('#').parse().unwrap_or_default(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Text", from = "Text")]
struct Converted {
    a: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String")]
struct OnlyInto {
    a: u8,
}

impl From<OnlyInto> for String {
    fn from(OnlyInto { a }: OnlyInto) -> Self {
        format!("#{a}")
    }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "String")]
struct OnlyFrom {
    a: u8,
}

impl From<String> for OnlyFrom {
    fn from(text: String) -> Self {
        Self {
            a: text.parse().unwrap_or_default(),
        }
    }
}

#[test]
fn types_that_are_written_or_read_as_another() {
    let of = |attribute: &str| format!("#[serde({attribute})] struct Converted {{ a: u8 }}");
    super::assert_same(
        &of("into = \"Text\", from = \"Text\""),
        &[super::fate(Converted { a: 1 })],
    );
    super::assert_same(&of("into = \"String\""), &[super::fate(OnlyInto { a: 1 })]);
    super::assert_same(&of("from = \"String\""), &[super::fate(OnlyFrom { a: 1 })]);
}
