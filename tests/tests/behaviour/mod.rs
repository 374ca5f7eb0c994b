//! What the project promises across its crates. `crate::aimdb` is the AimDB version under test.

mod accounting;
mod custom_backend;
mod faults;
mod flush_close;
mod lifetimes;
mod misuse;
mod queries;
mod recording;
mod remote;
mod retention;
mod seed_surface;
mod unstorable;
