//! What a question is answered with.

pub(crate) mod aggregate;
pub(crate) mod buckets;
pub(crate) mod changes;
pub(crate) mod downsample;
pub(crate) mod ends;
pub(crate) mod erase;
pub(crate) mod extent;
pub(crate) mod gathered;
pub(crate) mod listing;
pub(crate) mod rows;
pub(crate) mod stream;
