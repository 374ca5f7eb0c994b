use crate::contract::key::{validate_key, validate_placeholder_value};
use crate::contract::pattern::*;

fn selects(pattern: &str, key: &str) -> bool {
    Pattern::parse(pattern)
        .expect("a well-formed pattern")
        .matches(key)
}

#[test]
fn a_star_segment_covers_exactly_one_segment() {
    assert!(selects("accuracy::*", "accuracy::vienna"));
    assert!(selects("a.*.c", "a.b.c"));
    assert!(!selects("sensors.*", "sensors.secret.deep"));
    assert!(!selects("sensors.*", "sensors"));
    assert!(!selects("a.*", "a::b"));
}

#[test]
fn a_hash_covers_zero_or_more_segments_of_both_kinds() {
    for key in ["a", "a.b", "a.b::c.d"] {
        assert!(selects("a.#", key), "{key}");
    }
    assert!(
        !selects("a.#", "a::b"),
        "the separator before the run is literal"
    );
    assert!(selects("#.z", "z") && selects("#.z", "x::y.z"));
    assert!(selects("a.#.z", "a.z") && selects("a.#.z", "a.b::c.z"));
    assert!(selects("a.#::z", "a.z") && selects("a.#::z", "a::z"));
    assert!(!selects("a.#.z", "a.b"));
}

#[test]
fn a_star_inside_a_segment_stays_within_it() {
    assert!(selects("temp*", "temp") && selects("temp*", "temperature"));
    assert!(!selects("temp*", "temp.sf"));
    assert!(selects("*-in.t", "room-1-in.t") && !selects("*-in.t", "room-1-out.t"));
    assert!(selects("grüß*", "grüße"));
}

#[test]
fn the_lone_wildcards_mean_every_record_and_a_placeholder_does_not() {
    for key in ["a", "a.b", "odd..key"] {
        assert!(selects("*", key) && selects("#", key));
    }
    let placeholder = Pattern::of_template("{name}");
    assert!(placeholder.matches("a") && !placeholder.matches("a.b"));
    assert!(Pattern::of_template("t.{a}-x.{b}").matches("t.1-x.2"));
    assert_eq!(Pattern::of_template("t.fixed").exact_key(), Some("t.fixed"));
}

#[test]
fn odd_keys_stay_reachable_by_their_exact_name() {
    for key in ["", "a..b", "a:::b", "weird*key.", "x#y", "tab\there"] {
        assert!(Pattern::exact(key).matches(key), "{key:?}");
    }
    assert!(selects("weird*key", "weird*key"));
    assert!(
        selects("a..b", "a..b"),
        "without wildcards nothing is malformed"
    );
}

#[test]
fn malformed_patterns_and_keys_say_what_is_wrong() {
    for (pattern, reason) in [
        ("a..*", "empty segment"),
        ("*.", "empty segment"),
        ("a#b", "segment of its own"),
        ("a:::*", "ambiguous"),
    ] {
        let error = Pattern::parse(pattern).unwrap_err().to_string();
        assert!(error.contains(reason), "{pattern}: {error}");
    }
    for (key, reason) in [
        ("", "empty"),
        ("a.", "empty segment"),
        ("a:::b", "ambiguous"),
        ("a\u{0}", "control character"),
        ("a.{b}", "meaning in patterns"),
    ] {
        let error = validate_key(key).unwrap_err().to_string();
        assert!(error.contains(reason), "{key:?}: {error}");
    }
    assert!(
        validate_key("mac.aa:bb:cc").is_ok(),
        "a single colon is a character like any other"
    );
}

#[test]
fn a_thousand_hashes_are_decided_at_once() {
    let pattern = vec!["#"; 1000].join(".");
    let key = vec!["k"; 300].join(".");
    assert!(selects(&pattern, &key));
    assert!(!selects(&format!("{pattern}.z"), &key));
}

#[test]
fn placeholder_values_stay_within_their_segment() {
    assert!(validate_placeholder_value("sf").is_ok());
    assert!(validate_placeholder_value("aa:bb").is_ok());
    for value in ["", "a.b", "a::b", "*", "#", "{x}", "a\nb"] {
        assert!(validate_placeholder_value(value).is_err(), "{value:?}");
    }
}
