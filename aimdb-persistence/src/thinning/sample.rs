//! What a policy sees of a value: enough to compare it with another, in little memory.

use std::hash::{DefaultHasher, Hash, Hasher};

use aimdb_persistence_backend::json::Number;
use serde_json::Value;

use crate::declaration::field_path::Found;
use crate::declaration::policy::Deadband;
use crate::thinning::criteria::Criteria;
use crate::thinning::distance::reaches;

/// A value as a policy sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) at_ms: u64,
    pub(crate) sample: Sample,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sample {
    /// Nothing is: the policy does not look at values.
    Any,
    /// All of the value, but for the fields that are ignored; with deadbands, of a variant that has none of them.
    Whole(Fingerprint),
    /// The fields with a deadband, in their order.
    Fields(Box<[Measure]>),
    /// It cannot be: a row of another version of the type, or one that is no JSON.
    Unknown,
}

/// One field of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Measure {
    Number(Number),
    /// What is no number, a missing field being a `null`.
    Other(Fingerprint),
    /// The value is of another variant than the field.
    OfAnotherVariant,
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
    pub(crate) fn of(json: &str, criteria: &Criteria) -> Self {
        if !criteria.look_at_values() {
            return Self::Any;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(json) else {
            return Self::Unknown;
        };
        if criteria.on_change {
            for field in &criteria.apart {
                field.remove_from(&mut value);
            }
            return Self::Whole(Fingerprint::of(&value));
        }
        let deadbands = criteria.deadbands.iter();
        let measures: Box<[_]> = deadbands
            .map(|(field, _)| Measure::of(field.find(&value)))
            .collect();
        match measures.iter().all(|m| *m == Measure::OfAnotherVariant) {
            true => Self::Whole(Fingerprint::of(&value)),
            false => Self::Fields(measures),
        }
    }

    /// Whether a value that looks like this is worth storing after `last`.
    pub(crate) fn differs_from(&self, last: &Self, criteria: &Criteria) -> bool {
        match (self, last) {
            (Self::Fields(fields), Self::Fields(last)) if fields.len() == last.len() => fields
                .iter()
                .zip(last)
                .zip(&criteria.deadbands)
                .any(|((field, last), (_, deadband))| field.has_moved(*last, *deadband)),
            (Self::Whole(value), Self::Whole(last)) => value != last,
            _ => true,
        }
    }
}

impl Measure {
    fn of(found: Found<'_>) -> Self {
        match found {
            Found::OfAnotherVariant => Self::OfAnotherVariant,
            Found::Missing => Self::Other(Fingerprint::of(&Value::Null)),
            Found::Value(value) => match number(value) {
                Some(number) => Self::Number(number),
                None => Self::Other(Fingerprint::of(value)),
            },
        }
    }

    fn has_moved(self, last: Self, deadband: Deadband) -> bool {
        let (Self::Number(number), Self::Number(last)) = (self, last) else {
            return self != last;
        };
        reaches(deadband, last, number)
    }
}

/// Integers as they are: as floating-point numbers, those beyond 2⁵³ would be rounded.
fn number(value: &Value) -> Option<Number> {
    let integer = value.as_u64().map(i128::from);
    let integer = integer.or_else(|| value.as_i64().map(i128::from));
    integer
        .map(Number::Integer)
        .or_else(|| value.as_f64().and_then(Number::of_float))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::field::Field;
    use crate::declaration::field_path::FieldPath;
    use crate::declaration::policy::Policy;

    const C: Field<(), f64> = Field::at(&["c"]);
    const WHOLE: Field<(), f64> = Field::at(&[]);

    fn differs(policy: Policy, last: &str, new: &str) -> bool {
        let criteria = Criteria::new(&policy, &[FieldPath::at(&["at"])]);
        let sample = |json| Sample::of(json, &criteria);
        sample(new).differs_from(&sample(last), &criteria)
    }

    #[test]
    fn a_change_is_one_of_the_value_and_not_of_its_time_or_of_what_is_ignored() {
        let rssi: Field<(), i8> = Field::at(&["radio", "rssi"]);
        let policy = Policy::new().on_change().ignore(rssi);
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
                "ignored and left out",
                r#"{"open":true,"at":1,"radio":{"channel":3}}"#,
            ),
            (
                "the order",
                r#"{"at":1,"radio":{"channel":3,"rssi":-70},"open":true}"#,
            ),
        ] {
            assert!(!differs(policy, base, text), "{same} makes no difference");
            assert!(!differs(policy, text, base), "{same} makes no difference");
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
        let half = Policy::new().deadband(C, Deadband::Absolute(0.5));
        assert!(!differs(half, r#"{"c":20.0}"#, r#"{"c":20.499}"#));
        assert!(differs(half, r#"{"c":20.0}"#, r#"{"c":20.5}"#));
        assert!(differs(half, r#"{"c":20}"#, r#"{"c":19.5,"other":1}"#));
        let fifth = Policy::new().deadband(C, Deadband::Absolute(0.2));
        assert!(differs(fifth, r#"{"c":20.0}"#, r#"{"c":20.2}"#));
        assert!(!differs(fifth, r#"{"c":20.0}"#, r#"{"c":20.19}"#));
        assert!(!differs(
            half,
            r#"{"c":20,"other":1}"#,
            r#"{"c":20,"other":2}"#
        ));
        let percent = Policy::new().deadband(C, Deadband::Relative(0.02));
        assert!(!differs(percent, r#"{"c":-100}"#, r#"{"c":-101.9}"#));
        assert!(differs(percent, r#"{"c":-100}"#, r#"{"c":-102}"#));
    }

    #[test]
    fn around_zero_every_change_reaches_a_relative_deadband_and_no_change_reaches_any() {
        let percent = Policy::new().deadband(WHOLE, Deadband::Relative(0.5));
        assert!(differs(percent, "0", "1e-300"));
        assert!(differs(percent, "0", "1"));
        assert!(!differs(percent, "0", "-0.0"));
        let none = Policy::new().deadband(WHOLE, Deadband::Absolute(0.0));
        assert!(!differs(none, "3", "3.0"));
        assert!(differs(none, "3", "3.0000001"));
    }

    #[test]
    fn integers_are_compared_exactly_however_large_they_are() {
        let one = Policy::new().deadband(WHOLE, Deadband::Absolute(1.0));
        let two = Policy::new().deadband(WHOLE, Deadband::Absolute(1.5));
        for last in [9_007_199_254_740_992, u64::MAX - 3, i64::MAX as u64] {
            for (steps, of_one, of_two) in [(0, false, false), (1, true, false), (2, true, true)] {
                let (last, new) = (last.to_string(), (last + steps).to_string());
                assert_eq!(differs(one, &last, &new), of_one, "{last} {new}");
                assert_eq!(differs(two, &new, &last), of_two, "{new} {last}");
            }
        }
        assert!(differs(one, &i64::MIN.to_string(), &u64::MAX.to_string()));
        let third = Policy::new().deadband(WHOLE, Deadband::Relative(0.5));
        let last = u64::MAX / 2 - 1;
        let half = last.div_ceil(2);
        assert!(!differs(
            third,
            &last.to_string(),
            &(last + half - 1).to_string()
        ));
        assert!(differs(
            third,
            &last.to_string(),
            &(last + half).to_string()
        ));
    }

    #[test]
    fn what_is_no_number_moves_when_it_differs() {
        let policy = Policy::new().deadband(C, Deadband::Absolute(5.0));
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
    fn a_deadband_of_a_variant_says_nothing_of_the_others() {
        let value: Field<(), f64> = Field::at(&["value"]).of_variant("Measured").tagged("type");
        let policy = Policy::new().deadband(value, Deadband::Absolute(0.5));
        let measured = |value: f64| format!(r#"{{"type":"Measured","value":{value:?}}}"#);
        let failed = |value: i64| format!(r#"{{"type":"Failed","value":{value}}}"#);
        assert!(!differs(policy, &measured(1.0), &measured(1.4)));
        assert!(
            differs(policy, &measured(1.0), &failed(1)),
            "another variant"
        );
        assert!(differs(policy, &failed(1), &measured(1.0)), "and back");
        assert!(
            differs(policy, &failed(1), &failed(2)),
            "its content differs"
        );
        assert!(!differs(policy, &failed(1), &failed(1)));
        assert!(
            differs(policy, &failed(1), r#"{"type":"Gone"}"#),
            "of two without a deadband"
        );
    }

    #[test]
    fn a_field_is_ignored_in_its_own_variant_alone() {
        let code: Field<(), u32> = Field::at(&["code"]).of_variant("Failed");
        let policy = Policy::new().on_change().ignore(code);
        let value = |variant, code| format!(r#"{{"{variant}":{{"code":{code}}}}}"#);
        assert!(!differs(policy, &value("Failed", 1), &value("Failed", 2)));
        assert!(differs(policy, &value("Done", 1), &value("Done", 2)));
        assert!(differs(policy, &value("Done", 1), &value("Failed", 1)));
    }

    #[test]
    fn one_field_of_several_is_enough() {
        let [a, b]: [Field<(), f64>; 2] = [Field::at(&["a"]), Field::at(&["b"])];
        let policy = Policy::new()
            .deadband(a, Deadband::Absolute(1.0))
            .deadband(b, Deadband::Absolute(10.0));
        assert!(!differs(policy, r#"{"a":0,"b":0}"#, r#"{"a":0.9,"b":9}"#));
        assert!(differs(policy, r#"{"a":0,"b":0}"#, r#"{"a":0.9,"b":10}"#));
    }

    #[test]
    fn what_cannot_be_compared_differs() {
        let policy = Policy::new().on_change();
        assert!(differs(policy, "not JSON", "1"));
        let criteria = Criteria::new(&policy, &[]);
        assert!(Sample::of("1", &criteria).differs_from(&Sample::Unknown, &criteria));
    }
}
