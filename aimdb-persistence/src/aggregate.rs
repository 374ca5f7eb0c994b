//! Numbers summed up. Pure: no rows, no I/O.

pub(crate) mod accumulator;
pub(crate) mod exact;
pub(crate) mod percentiles;
pub(crate) mod stretch;
pub(crate) mod summary;
pub(crate) mod width;
#[cfg(feature = "jiff")]
mod zone;
