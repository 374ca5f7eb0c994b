//! What the crate adds to AimDB. Only `v1` and `v2` name its types.

pub(crate) mod builder;
pub(crate) mod database;
pub(crate) mod handle;
pub(crate) mod v1;
pub(crate) mod v2;
