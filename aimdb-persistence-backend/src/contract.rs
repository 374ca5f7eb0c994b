//! What stores rows, and what it is asked: nothing here knows of AimDB, recording or queries.

pub(crate) mod backend;
pub(crate) mod by_read;
pub(crate) mod cursor;
pub(crate) mod error;
pub(crate) mod feature;
pub(crate) mod health;
pub(crate) mod key;
pub(crate) mod pattern;
pub(crate) mod quoted;
pub(crate) mod read;
pub(crate) mod required;
pub(crate) mod retention;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod terms;
