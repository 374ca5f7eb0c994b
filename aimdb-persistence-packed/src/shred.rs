//! From JSON texts to a tree of columns.

mod branch;
mod item;
mod numbers;
mod parser;
mod write;

pub(crate) use self::branch::Forest;
pub(crate) use self::numbers::summed;
pub(crate) use self::parser::Parser;
pub(crate) use self::write::put_branch;
