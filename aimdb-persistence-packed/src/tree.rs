//! The tree of columns as it is read.

mod kind;
mod node;
mod read;

pub(crate) use self::kind::Kind;
pub(crate) use self::node::{Kinds, Node, PLACES_VARY, Places};
pub(crate) use self::read::Budget;
