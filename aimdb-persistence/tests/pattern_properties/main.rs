//! The pattern grammar, held against the most direct way to write it down.

mod reference;

use aimdb_persistence::backend::validate_key;
use aimdb_persistence::{Declared, Pattern, Persist, Series, declare::Declaration};
use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

/// Few and short segments, so that patterns and keys often meet.
const KEY_SEGMENTS: [&str; 7] = ["a", "b", "ab", "ba", "é", "a:", "x"];
const PATTERN_SEGMENTS: [&str; 13] = [
    "a", "b", "ab", "é", "a:", "*", "*", "#", "#", "a*", "*b", "**", "*a*",
];
const SEPARATORS: [&str; 3] = [".", ".", "::"];

fn joined(
    segments: &'static [&'static str],
    separators: &'static [&'static str],
    most: usize,
) -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec((select(separators), select(segments)), 1..=most);
    pieces.prop_map(|pieces| {
        let mut text = pieces[0].1.to_owned();
        for (separator, segment) in &pieces[1..] {
            text.push_str(separator);
            text.push_str(segment);
        }
        text
    })
}

fn key() -> impl Strategy<Value = String> {
    joined(&KEY_SEGMENTS, &SEPARATORS, 5)
}

fn pattern() -> impl Strategy<Value = String> {
    joined(&PATTERN_SEGMENTS, &SEPARATORS, 4)
}

/// Texts around the edges of the grammar: empty segments, runs of colons, misplaced wildcards.
fn odd_text() -> impl Strategy<Value = String> {
    const SEGMENTS: [&str; 10] = ["a", "b", "*", "#", "a*", "#a", "", ":", "{a}", "a\n"];
    const SEPARATORS: [&str; 5] = [".", "::", "", ":::", ":"];
    joined(&SEGMENTS, &SEPARATORS, 5)
}

/// Both sides of `Pattern::parse`: whether the text is a pattern, and what it selects.
fn agrees(pattern: &str, keys: &[String]) -> Result<(), TestCaseError> {
    let parsed = Pattern::parse(pattern);
    let is_pattern = reference::is_pattern(pattern);
    prop_assert_eq!(parsed.is_ok(), is_pattern, "`{}`", pattern);
    if let Ok(parsed) = parsed {
        for key in keys {
            let expected = reference::selects(pattern, key);
            prop_assert_eq!(parsed.matches(key), expected, "`{}` on `{}`", pattern, key);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn patterns_select_what_the_reference_selects(
        pattern in pattern(),
        keys in prop::collection::vec(key(), 100),
    ) {
        agrees(&pattern, &keys)?;
    }

    #[test]
    fn stars_inside_a_segment_cover_what_the_reference_covers(
        glob in "[ab*é]{1,8}",
        texts in prop::collection::vec("[abé]{1,10}", 50),
    ) {
        agrees(&glob, &texts)?;
        let longer: Vec<_> = texts.iter().map(|text| format!("{text}.x")).collect();
        agrees(&format!("{glob}.*"), &longer)?;
    }

    #[test]
    fn odd_patterns_and_odd_keys_are_treated_as_the_reference_treats_them(
        pattern in prop_oneof![odd_text(), pattern()],
        keys in prop::collection::vec(prop_oneof![odd_text(), key()], 50),
    ) {
        agrees(&pattern, &keys)?;
        for key in &keys {
            prop_assert_eq!(validate_key(key).is_ok(), reference::is_key(key), "`{:?}`", key);
        }
    }

    #[test]
    fn every_text_selects_itself_and_every_valid_key_is_its_own_pattern(
        key in prop_oneof![key(), odd_text(), any::<String>()],
        others in prop::collection::vec(key(), 20),
    ) {
        prop_assert!(Pattern::exact(key.as_str()).matches(&key));
        prop_assert!(Pattern::parse("#").unwrap().matches(&key));
        if validate_key(&key).is_ok() {
            let pattern = Pattern::parse(&key).expect("a key is a pattern");
            prop_assert_eq!(pattern.exact_key(), Some(key.as_str()));
            prop_assert!(pattern.matches(&key));
            for other in others.iter().filter(|other| **other != key) {
                prop_assert!(!pattern.matches(other), "`{}` selects `{}`", key, other);
            }
        }
    }

    #[test]
    fn no_text_makes_the_grammar_panic(
        pattern in prop_oneof![any::<String>(), "[a*#.:{}\u{0}é]{0,40}"],
        key in prop_oneof![any::<String>(), "[a*#.:{}\u{0}é]{0,40}"],
    ) {
        if let Ok(parsed) = Pattern::parse(&pattern) {
            parsed.matches(&key);
            prop_assert_eq!(parsed.as_str(), pattern.as_str());
            prop_assert_eq!(parsed.to_string(), pattern);
        }
        if let Err(error) = validate_key(&key) {
            prop_assert_eq!(error.key(), key.as_str());
        }
    }
}

#[test]
fn every_small_pattern_agrees_with_the_reference_on_every_small_key() {
    let patterns = all_joined(&["a", "*", "#", "a*"], 3);
    let keys = all_joined(&["a", "ab"], 4);
    let (mut selected, mut passed_over) = (0, 0);
    for pattern in &patterns {
        let parsed = Pattern::parse(pattern).expect("made of well-formed segments");
        for key in &keys {
            let expected = reference::selects(pattern, key);
            assert_eq!(parsed.matches(key), expected, "`{pattern}` on `{key}`");
            *(if expected {
                &mut selected
            } else {
                &mut passed_over
            }) += 1;
        }
    }
    assert!(
        selected > 5_000 && passed_over > 5_000,
        "both outcomes must be tried: {selected} and {passed_over}"
    );
}

/// Every text of up to so many of these segments, with either separator at every joint.
fn all_joined(segments: &[&str], most: usize) -> Vec<String> {
    let mut all: Vec<String> = segments.iter().map(ToString::to_string).collect();
    let mut longest = all.clone();
    for _ in 1..most {
        let longer = longest.iter().flat_map(|text| {
            let joints = [".", "::"].into_iter();
            joints.flat_map(move |joint| segments.iter().map(move |s| format!("{text}{joint}{s}")))
        });
        longest = longer.collect();
        all.extend_from_slice(&longest);
    }
    all
}

/// A type per template, since a template is part of its type.
macro_rules! template {
    ($type:ident, $template:literal) => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        struct $type;

        impl Declared for $type {
            type Value = Self;
            const DECLARATION: Declaration = Declaration::new(stringify!($type), $template);
        }
    };
}

template!(Plain, "temperature.{station}");
template!(Beside, "room::{room}.{sensor}-in");
template!(Within, "x{a}y.{b}.z");
template!(BesideColon, "x:{a}:{b}.z");

/// The keys of a template's series, and the pattern that a user writes for them.
fn keeps_within_its_template<T: Persist>(
    values: &[String],
    others: &[String],
) -> Result<(), TestCaseError> {
    let template = T::DECLARATION.template();
    let mut pattern = template.to_owned();
    while let (Some(open), Some(close)) = (pattern.find('{'), pattern.find('}')) {
        pattern.replace_range(open..=close, "*");
    }
    let pattern = Pattern::parse(&pattern).expect("a template makes a pattern");
    let segments_of = |key: &str| key.split("::").flat_map(|part| part.split('.')).count();

    let values: Vec<&dyn std::fmt::Display> = values.iter().map(|v| v as _).collect();
    if let Ok(series) = Series::<T>::from_values(&values) {
        let key = series.key();
        prop_assert!(validate_key(key).is_ok(), "`{}`", key);
        prop_assert_eq!(segments_of(key), segments_of(template), "`{}`", key);
        prop_assert!(pattern.matches(key), "`{}` on `{}`", pattern, key);
        for longer in [format!("{key}.a"), format!("{key}::a"), format!("a.{key}")] {
            prop_assert!(!pattern.matches(&longer), "`{}` on `{}`", pattern, longer);
        }
    }
    for other in others {
        if segments_of(other) != segments_of(template) {
            prop_assert!(!pattern.matches(other), "`{}` on `{}`", pattern, other);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_template_selects_every_key_it_makes_and_none_of_another_depth(
        values in prop::collection::vec(prop_oneof!["[a-z:é-]{1,4}", odd_text()], 2),
        others in prop::collection::vec(
            joined(&["temperature", "room", "xay", "a-in", "z"], &SEPARATORS, 5),
            20,
        ),
    ) {
        keeps_within_its_template::<Plain>(&values[..1], &others)?;
        keeps_within_its_template::<Beside>(&values, &others)?;
        keeps_within_its_template::<Within>(&values, &others)?;
        keeps_within_its_template::<BesideColon>(&values, &others)?;
    }
}

/// Runs of `#` are folded where they say the same, and nowhere else.
#[test]
fn runs_of_hashes_select_what_each_of_them_would() {
    let keys = [
        "a.b",
        "a::b",
        "a.x.b",
        "a::x.b",
        "a.x::b",
        "a::x::b",
        "a.x.y.b",
        "a::x::y.b",
        "b",
        "a",
    ];
    for separators in 0..1_u32 << 6 {
        let mut pattern = String::from("a");
        for place in 0..6 {
            pattern += if separators >> place & 1 == 0 {
                "."
            } else {
                "::"
            };
            pattern += if place == 5 { "b" } else { "#" };
        }
        let parsed = Pattern::parse(&pattern).unwrap();
        for key in keys {
            assert_eq!(
                parsed.matches(key),
                reference::selects(&pattern, key),
                "{pattern} {key}"
            );
        }
    }
    let long = format!("a{}.b", ".#".repeat(20_000));
    let folded = Pattern::parse(&long).unwrap();
    assert!(folded.segments() <= 5 && folded.matches("a.x::y.b") && !folded.matches("a.x"));
}
