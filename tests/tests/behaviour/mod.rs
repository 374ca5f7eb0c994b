//! What the project promises across its crates. `crate::aimdb` is the AimDB version under test.

mod accounting;
mod backfill;
mod clocks;
mod close;
mod custom_backend;
mod declared;
mod decoding;
mod edges;
mod faults;
mod flush;
mod history;
mod hostile;
mod lifetimes;
mod listing;
mod misuse;
mod policies;
mod queries;
mod recording;
mod refused;
mod remote;
mod restore;
mod retention;
mod seed_surface;
mod storage;
mod unstorable;
mod versions;
