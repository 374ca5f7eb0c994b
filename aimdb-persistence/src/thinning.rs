//! Which values of a series become rows. No I/O, and no clock but the one that is given.

pub(crate) mod criteria;
pub(crate) mod distance;
pub(crate) mod gate;
pub(crate) mod rules;
pub(crate) mod sample;
