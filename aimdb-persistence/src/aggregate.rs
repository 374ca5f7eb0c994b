//! Numbers summed up. Pure: no rows, no I/O.

pub(crate) mod lengths;
pub(crate) mod percentiles;
pub(crate) mod summary;
pub(crate) mod width;
#[cfg(feature = "jiff")]
mod zone;
