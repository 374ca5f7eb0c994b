//! A place of the rows: where its columns lie.

use crate::ints::Ints;
use crate::texts::Texts;
use crate::tree::kind::Kind;

/// Stands for a number of decimal places, where each decimal has its own.
pub(crate) const PLACES_VARY: u8 = 0xff;

/// A place, and all that lies within it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) count: usize,
    pub(crate) kinds: Kinds,
    pub(crate) integers: Option<Ints>,
    pub(crate) unsigned: Option<Ints>,
    pub(crate) decimals: Option<Decimals>,
    pub(crate) floats: Option<Ints>,
    pub(crate) texts: Option<Texts>,
    pub(crate) raws: Option<Texts>,
    pub(crate) elements: Vec<Node>,
    pub(crate) lengths: Option<Ints>,
    pub(crate) listed: Option<Box<Node>>,
    pub(crate) members: Vec<(String, Node)>,
}

/// What the values of a place are.
#[derive(Debug)]
pub(crate) enum Kinds {
    /// All the same.
    One(Kind),
    /// One of several, of which the codes tell the place.
    Several { present: Vec<Kind>, codes: Ints },
}

/// Decimals, and how many places they have.
#[derive(Debug)]
pub(crate) struct Decimals {
    pub(crate) digits: Ints,
    pub(crate) places: Places,
}

/// How many places decimals have.
#[derive(Debug)]
pub(crate) enum Places {
    Same(u32),
    Each(Ints),
}
