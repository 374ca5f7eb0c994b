//! The examples of the workspace, and what they share. Run one with `cargo run --example NAME`.
//!
//! - `quick_start`: two records, a pattern, two queries.
//! - `weather_station`: a year of real temperatures, recorded through AimDB and asked back.
//! - `custom_backend`: a backend of one's own.

pub mod clock;
pub mod files;
pub mod readings;
