//! Values to JSON text that decodes again, and a few places of a text without decoding all of it.

pub(crate) mod number;
pub(crate) mod projection;
pub(crate) mod scalar;
pub(crate) mod text;
