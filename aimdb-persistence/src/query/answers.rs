//! What a question is answered with.

pub(crate) mod aggregate;
pub(crate) mod bucket;
pub(crate) mod buckets;
pub(crate) mod changes;
pub(crate) mod downsample;
pub(crate) mod ends;
pub(crate) mod erase;
pub(crate) mod extent;
mod filling;
#[cfg(feature = "recorder")]
pub(crate) mod gathered;
pub(crate) mod listing;
mod numbers;
pub(crate) mod rows;
pub(crate) mod states;
pub(crate) mod stream;
mod thinned;
