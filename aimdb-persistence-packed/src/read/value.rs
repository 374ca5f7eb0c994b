//! What a row holds at a place.

/// What a row holds at a place, without its text being rebuilt.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// There is no such place.
    Missing,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number beyond `i64::MAX`.
    Unsigned(u64),
    /// `digits` / 10^`places`, of up to 15 digits: the quotient of the two as floats is the nearest float.
    Decimal {
        /// All of them, with their sign.
        digits: i64,
        /// So many of them stand behind the point.
        places: u32,
    },
    /// A float.
    Float(f64),
    /// A text as it stands between its quotes. Where it holds no backslash, it is the text itself.
    Text(&'a str),
    /// The value's JSON: a number that is written in an unusual way, an object or an array.
    Json(&'a str),
    /// Only the row's whole text tells: what the place lies in is kept as text.
    InText,
}
