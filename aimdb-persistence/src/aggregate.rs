//! Numbers summed up. Pure: no rows, no I/O.

pub(crate) mod percentiles;
pub(crate) mod summary;
pub(crate) mod width;
