//! Single JSON values as queries compare them: what a field holds, and what it is compared with.

use std::borrow::Cow;
use std::cmp::Ordering;

/// What a row's JSON holds at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    /// There is no such place.
    Missing,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// An object or an array.
    Compound,
}

/// A number as it is written. An integer beyond 64 bits is a float, as for `serde_json`.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// Without a fraction or an exponent.
    Integer(i128),
    /// Any other.
    Float(f64),
}

impl Scalar<'_> {
    /// Whether there is a value.
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::Missing | Self::Null)
    }

    /// The same, without borrowing from the row's text.
    pub fn into_owned(self) -> Scalar<'static> {
        match self {
            Self::Text(text) => Scalar::Text(Cow::Owned(text.into_owned())),
            Self::Missing => Scalar::Missing,
            Self::Null => Scalar::Null,
            Self::Bool(value) => Scalar::Bool(value),
            Self::Number(number) => Scalar::Number(number),
            Self::Compound => Scalar::Compound,
        }
    }
}

/// The order of numbers, of texts by their bytes, and of `false` before `true`. What is of different kinds, missing,
/// or an object or array, has none; nor has `null`, apart from being equal to itself.
impl PartialOrd for Scalar<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.partial_cmp(other),
            (Self::Text(one), Self::Text(other)) => Some(one.cmp(other)),
            (Self::Bool(one), Self::Bool(other)) => Some(one.cmp(other)),
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            _ => None,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

/// By value, whichever way they are written: no integer is rounded to be compared.
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(&other)),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(&other),
            (Self::Integer(integer), Self::Float(float)) => compare(integer, float),
            (Self::Float(float), Self::Integer(integer)) => {
                compare(integer, float).map(Ordering::reverse)
            }
        }
    }
}

/// Integers are those of 64 bits, which lie well within the floats that `as i128` converts exactly.
fn compare(integer: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let whole = float.trunc() as i128;
    let fraction = 0.0.partial_cmp(&float.fract());
    Some(
        integer
            .cmp(&whole)
            .then(fraction.unwrap_or(Ordering::Equal)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value_and_exactly() {
        let int = |integer| Number::Integer(integer);
        let float = Number::Float;
        for (one, other, expected) in [
            (int(2), float(2.0), Some(Ordering::Equal)),
            (int(2), float(2.5), Some(Ordering::Less)),
            (int(-2), float(-2.5), Some(Ordering::Greater)),
            (int(0), float(-0.0), Some(Ordering::Equal)),
            (
                int(9_007_199_254_740_993),
                float(9_007_199_254_740_992.0),
                Some(Ordering::Greater),
            ),
            (
                int(i128::from(u64::MAX)),
                float(18_446_744_073_709_551_616.0),
                Some(Ordering::Less),
            ),
            (int(1), float(f64::MAX), Some(Ordering::Less)),
            (int(1), float(-f64::MAX), Some(Ordering::Greater)),
            (int(1), float(f64::NAN), None),
        ] {
            assert_eq!(one.partial_cmp(&other), expected, "{one:?} {other:?}");
            let reversed = expected.map(Ordering::reverse);
            assert_eq!(other.partial_cmp(&one), reversed, "{other:?} {one:?}");
        }
    }

    #[test]
    fn kinds_do_not_compare_with_each_other() {
        let number = Scalar::Number(Number::Integer(1));
        for other in [
            Scalar::Missing,
            Scalar::Null,
            Scalar::Bool(true),
            Scalar::Text("1".into()),
            Scalar::Compound,
        ] {
            assert_eq!(number.partial_cmp(&other), None, "{other:?}");
        }
        assert_eq!(Scalar::Missing.partial_cmp(&Scalar::Missing), None);
        assert_eq!(
            Scalar::Null.partial_cmp(&Scalar::Null),
            Some(Ordering::Equal)
        );
    }
}
