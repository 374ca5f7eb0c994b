//! A text as a flat list of what it holds.

use crate::numbers::Written;

/// A value, or the name of a member before its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) what: What,
    /// Where its text begins and ends: without the quotes, where it has some.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The item behind everything that this one holds.
    pub(crate) next: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum What {
    Null,
    False,
    True,
    Number(Written),
    Text,
    /// So many elements follow.
    Array(usize),
    /// So many members follow, each a name and a value.
    Object(usize),
    Name,
    /// What is kept as its text.
    Raw,
}
