//! The front door of a declared type.

pub(crate) mod persist;
pub(crate) mod series;
