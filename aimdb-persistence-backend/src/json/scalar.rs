//! Single JSON values as queries compare them: what a field holds, and what it is compared with.

use std::borrow::Cow;
use std::cmp::Ordering;

use aimdb_persistence_packed::Number;

/// What a row's JSON holds at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    /// There is no such place.
    Missing,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, with all its digits.
    Number(Number),
    /// A text, its escapes resolved.
    Text(Cow<'a, str>),
    /// An object or an array, or a number that is beyond all floats: its JSON.
    Other(Cow<'a, str>),
}

impl<'a> Scalar<'a> {
    /// Of a value's JSON text.
    pub fn of_json(json: &'a str) -> Self {
        match json.as_bytes() {
            b"null" => Self::Null,
            b"true" => Self::Bool(true),
            b"false" => Self::Bool(false),
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
                Self::Text(Cow::Borrowed(&json[1..json.len() - 1]))
            }
            [b'"', ..] => match serde_json::from_str(json) {
                Ok(text) => Self::Text(Cow::Owned(text)),
                Err(_) => Self::Other(Cow::Borrowed(json)),
            },
            _ => match Number::parse(json) {
                Some(number) => Self::Number(number),
                None => Self::Other(Cow::Borrowed(json)),
            },
        }
    }

    /// Whether there is a value.
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::Missing | Self::Null)
    }

    /// The same, kept beyond the row that it was read from.
    pub fn into_owned(self) -> Scalar<'static> {
        match self {
            Self::Text(text) => Scalar::Text(Cow::Owned(text.into_owned())),
            Self::Missing => Scalar::Missing,
            Self::Null => Scalar::Null,
            Self::Bool(value) => Scalar::Bool(value),
            Self::Number(number) => Scalar::Number(number),
            Self::Other(json) => Scalar::Other(Cow::Owned(json.into_owned())),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_do_not_compare_with_each_other() {
        let number = Scalar::of_json("1");
        for other in [
            Scalar::Missing,
            Scalar::Null,
            Scalar::Bool(true),
            Scalar::Text("1".into()),
            Scalar::of_json("[1]"),
        ] {
            assert_eq!(number.partial_cmp(&other), None, "{other:?}");
        }
        assert_eq!(Scalar::Missing.partial_cmp(&Scalar::Missing), None);
        assert_eq!(
            Scalar::Null.partial_cmp(&Scalar::Null),
            Some(Ordering::Equal)
        );
    }

    #[test]
    fn texts_are_unescaped() {
        let text = Scalar::of_json(r#""N\u00f6 \"x\"""#);
        assert_eq!(text, Scalar::Text("Nö \"x\"".into()));
        assert_eq!(Scalar::of_json(r#""""#), Scalar::Text("".into()));
    }
}
