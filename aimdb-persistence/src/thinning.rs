//! Which values of a series become rows. Pure: no I/O, no clock.

pub(crate) mod distance;
pub(crate) mod gate;
pub(crate) mod sample;
