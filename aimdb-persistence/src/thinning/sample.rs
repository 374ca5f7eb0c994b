//! What a policy sees of a value: enough to compare it with another, in little memory.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::declaration::policy::{Deadband, Policy};
use crate::thinning::distance::reaches;

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sample {
    /// Nothing is: the policy does not look at values.
    Any,
    /// All of the value, but for the fields that are ignored.
    Whole(Fingerprint),
    /// The fields with a deadband, in their order.
    Fields(Box<[Measure]>),
    /// It cannot be: a row of another version of the type, or one that is no JSON.
    Unknown,
}

/// One field of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Measure {
    Number(f64),
    /// What is no number, a missing field being a `null`.
    Other(Fingerprint),
}

/// Equal for equal values, and for no others: two independent hashes of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// The order of an object's members makes no difference.
    fn of(value: &Value) -> Self {
        Self([0_u8, 1].map(|half| {
            let mut hasher = DefaultHasher::new();
            (half, value).hash(&mut hasher);
            hasher.finish()
        }))
    }
}

impl Sample {
    /// `apart` are the fields that make no difference beside those which the policy ignores: the event time.
    pub(crate) fn of(json: &str, policy: &Policy, apart: &[&'static str]) -> Self {
        if !policy.looks_at_values() {
            return Self::Any;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(json) else {
            return Self::Unknown;
        };
        if policy.on_change {
            let fields = policy.ignored().chain(apart.iter().copied());
            fields.for_each(|field| {
                remove(&mut value, field);
            });
            return Self::Whole(Fingerprint::of(&value));
        }
        let measure = |(field, _)| Measure::of(find(&value, field));
        Self::Fields(policy.deadbands().map(measure).collect())
    }

    /// Whether a value that looks like this is worth storing after `last`.
    pub(crate) fn differs_from(&self, last: &Self, policy: &Policy) -> bool {
        match (self, last) {
            (Self::Fields(fields), Self::Fields(last)) if fields.len() == last.len() => fields
                .iter()
                .zip(last)
                .zip(policy.deadbands())
                .any(|((field, last), (_, deadband))| field.has_moved(*last, deadband)),
            (Self::Whole(value), Self::Whole(last)) => value != last,
            _ => true,
        }
    }
}

impl Measure {
    fn of(field: Option<&Value>) -> Self {
        let field = field.unwrap_or(&Value::Null);
        match field.as_f64() {
            Some(number) => Self::Number(number),
            None => Self::Other(Fingerprint::of(field)),
        }
    }

    fn has_moved(self, last: Self, deadband: Deadband) -> bool {
        let (Self::Number(number), Self::Number(last)) = (self, last) else {
            return self != last;
        };
        reaches(deadband, last, number)
    }
}

/// The member that a name leads to, which may be one of a member's: a name with a dot in it is tried as a whole first.
fn find<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    if field.is_empty() {
        return Some(value);
    }
    member(value, field).or_else(|| {
        let mut joints = field.match_indices('.');
        joints.find_map(|(dot, _)| find(member(value, &field[..dot])?, &field[dot + 1..]))
    })
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Makes a `null` of what [`find`] finds.
fn remove(value: &mut Value, field: &str) -> bool {
    if field.is_empty() {
        *value = Value::Null;
        return true;
    }
    if let Some(found) = member_mut(value, field) {
        *found = Value::Null;
        return true;
    }
    let mut joints = field.match_indices('.');
    joints.any(|(dot, _)| {
        member_mut(value, &field[..dot]).is_some_and(|inner| remove(inner, &field[dot + 1..]))
    })
}

fn member_mut<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(members) => members.get_mut(name),
        Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(policy: Policy, last: &str, new: &str) -> bool {
        let sample = |json| Sample::of(json, &policy, &["at"]);
        sample(new).differs_from(&sample(last), &policy)
    }

    #[test]
    fn a_change_is_one_of_the_value_and_not_of_its_time_or_of_what_is_ignored() {
        let policy = Policy::new().on_change().ignore("radio.rssi");
        let base = r#"{"open":true,"at":1,"radio":{"rssi":-70,"channel":3}}"#;
        for (same, text) in [
            (
                "its time",
                r#"{"open":true,"at":2,"radio":{"rssi":-70,"channel":3}}"#,
            ),
            (
                "ignored",
                r#"{"open":true,"at":1,"radio":{"rssi":-71,"channel":3}}"#,
            ),
            (
                "the order",
                r#"{"at":1,"radio":{"channel":3,"rssi":-70},"open":true}"#,
            ),
        ] {
            assert!(!differs(policy, base, text), "{same} makes no difference");
        }
        for text in [
            r#"{"open":false,"at":1,"radio":{"rssi":-70,"channel":3}}"#,
            r#"{"open":true,"at":1,"radio":{"rssi":-70,"channel":4}}"#,
            r#"{"open":true,"at":1}"#,
            r#"{"open":true,"at":1,"radio":{"rssi":-70,"channel":3},"new":null}"#,
        ] {
            assert!(differs(policy, base, text), "{text}");
        }
    }

    #[test]
    fn a_deadband_is_reached_exactly_at_its_distance() {
        let half = Policy::new().deadband("c", Deadband::Absolute(0.5));
        assert!(!differs(half, r#"{"c":20.0}"#, r#"{"c":20.499}"#));
        assert!(differs(half, r#"{"c":20.0}"#, r#"{"c":20.5}"#));
        assert!(differs(half, r#"{"c":20}"#, r#"{"c":19.5,"other":1}"#));
        let fifth = Policy::new().deadband("c", Deadband::Absolute(0.2));
        assert!(differs(fifth, r#"{"c":20.0}"#, r#"{"c":20.2}"#));
        assert!(!differs(fifth, r#"{"c":20.0}"#, r#"{"c":20.19}"#));
        assert!(!differs(
            half,
            r#"{"c":20,"other":1}"#,
            r#"{"c":20,"other":2}"#
        ));
        let percent = Policy::new().deadband("c", Deadband::Relative(0.02));
        assert!(!differs(percent, r#"{"c":-100}"#, r#"{"c":-101.9}"#));
        assert!(differs(percent, r#"{"c":-100}"#, r#"{"c":-102}"#));
    }

    #[test]
    fn around_zero_every_change_reaches_a_relative_deadband_and_no_change_reaches_any() {
        let percent = Policy::new().deadband("", Deadband::Relative(0.5));
        assert!(differs(percent, "0", "1e-300"));
        assert!(!differs(percent, "0", "-0.0"));
        let none = Policy::new().deadband("", Deadband::Absolute(0.0));
        assert!(!differs(none, "3", "3.0"));
        assert!(differs(none, "3", "3.0000001"));
    }

    #[test]
    fn what_is_no_number_moves_when_it_differs() {
        let policy = Policy::new().deadband("c", Deadband::Absolute(5.0));
        for (last, new, moves) in [
            (r#"{"c":null}"#, r#"{"c":1}"#, true),
            (r#"{"c":1}"#, r#"{}"#, true),
            (r#"{}"#, r#"{"c":null}"#, false),
            (r#"{"c":"NaN"}"#, r#"{"c":"NaN"}"#, false),
            (r#"{"c":"NaN"}"#, r#"{"c":"inf"}"#, true),
            (r#"{"c":[1]}"#, r#"{"c":[2]}"#, true),
            ("[]", "7", false),
        ] {
            assert_eq!(differs(policy, last, new), moves, "{last} {new}");
        }
    }

    #[test]
    fn one_field_of_several_is_enough() {
        let policy = Policy::new()
            .deadband("a", Deadband::Absolute(1.0))
            .deadband("b", Deadband::Absolute(10.0));
        assert!(!differs(policy, r#"{"a":0,"b":0}"#, r#"{"a":0.9,"b":9}"#));
        assert!(differs(policy, r#"{"a":0,"b":0}"#, r#"{"a":0.9,"b":10}"#));
    }

    #[test]
    fn a_field_is_found_inside_others_in_arrays_and_by_a_name_with_a_dot() {
        let value = serde_json::json!({ "a.b": { "c": 1 }, "a": { "b": [2, { "d.e": 3 }] } });
        let number = |field| find(&value, field).and_then(Value::as_u64);
        assert_eq!(number("a.b.c"), Some(1));
        assert_eq!(number("a.b.0"), Some(2));
        assert_eq!(number("a.b.1.d.e"), Some(3));
        for missing in ["x", "a.b.2", "a.b.c.d", "a.b.1.", ".a", "a.b.-1"] {
            assert_eq!(number(missing), None, "{missing}");
        }
        assert_eq!(find(&value, ""), Some(&value));
    }

    #[test]
    fn what_cannot_be_compared_differs() {
        let policy = Policy::new().on_change();
        assert!(differs(policy, "not JSON", "1"));
        let last = Sample::Unknown;
        assert!(Sample::of("1", &policy, &[]).differs_from(&last, &policy));
    }
}
