//! The commands: each from its arguments to what it prints.

pub(crate) mod changing;
pub(crate) mod context;
pub(crate) mod copy;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod keeping;
pub(crate) mod plot;
pub(crate) mod selecting;
pub(crate) mod series;
pub(crate) mod show;
pub(crate) mod sql;
pub(crate) mod stats;
