//! Asking: a question is built step by step, then answered from what a backend shows.

pub(crate) mod answers;
pub(crate) mod ask;
pub(crate) mod decoding;
pub(crate) mod filter;
pub(crate) mod history;
pub(crate) mod look;
pub(crate) mod moment;
mod range;
#[cfg(feature = "recorder")]
pub(crate) mod remote;
pub(crate) mod selection;
mod timeline;
