//! What a value of a column is.

/// What stands at a place of a row. A place of one kind costs nothing for it; of several, a small column says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The object has no such member.
    Missing,
    Null,
    False,
    True,
    Integer,
    /// A whole number beyond `i64::MAX`.
    Unsigned,
    Decimal,
    Float,
    Text,
    /// An array of the place's length, each element a column.
    Array,
    /// An array of another length; all elements are one column.
    List,
    Object,
    /// What comes back only as its text.
    Raw,
}

impl Kind {
    /// In the order of their codes.
    pub(crate) const ALL: [Self; 13] = [
        Self::Missing,
        Self::Null,
        Self::False,
        Self::True,
        Self::Integer,
        Self::Unsigned,
        Self::Decimal,
        Self::Float,
        Self::Text,
        Self::Array,
        Self::List,
        Self::Object,
        Self::Raw,
    ];

    /// Its place among all.
    pub(crate) fn code(self) -> usize {
        self as usize
    }
}
