//! The front door of a declared type.

pub mod marker;
pub(crate) mod persist;
pub(crate) mod series;
