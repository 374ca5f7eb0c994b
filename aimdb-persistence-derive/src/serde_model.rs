//! What serde is told about a type.

pub(crate) mod attributes;
pub(crate) mod item;
pub(crate) mod names;
pub(crate) mod rename_all;
