//! Recording: from the values pushed into a record's buffer to rows that the backend has stored.
//!
//! ```text
//! record's buffer ─ capture ─ subscriber ─ backlog ─ handover ─ PersistenceBackend
//!                 (or reader)  serialise   bounded    batches
//! ```
//!
//! Invariant: whoever takes a value out of one stage puts it into the next, or settles it in exactly one counter,
//! before anything else can go wrong.

mod backlog;
mod batches;
mod begun;
pub(crate) mod capture;
pub(crate) mod direct;
mod finish;
pub(crate) mod flush;
pub(crate) mod handover;
pub(crate) mod intake;
mod intakes;
mod judging;
mod learning;
#[cfg(feature = "aimdb-2")]
pub(crate) mod places;
mod read_back;
pub(crate) mod recording;
pub(crate) mod restore;
pub(crate) mod restoring;
mod running;
pub(crate) mod sleeping;
pub(crate) mod subscriber;
mod subscription;
pub(crate) mod sweep;
pub(crate) mod task;
mod tasks;
mod timers;
