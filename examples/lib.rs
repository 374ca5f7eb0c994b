//! The examples of the workspace, and what they share. Run one with `cargo run --example NAME`.
//!
//! - `quick_start`: two records, a pattern, two queries.
//! - `weather_station`: a year of real temperatures, recorded through AimDB and asked back.
//! - `ask_while_recording`: the weather station's file, read by another process.
//! - `building`: what policies store of a week in a building, and what a restart restores.
//! - `data_contracts`: a marker declares the history of a type of another crate.
//! - `graceful_shutdown`: a service that closes its history when it is told to stop.
//! - `custom_backend`: a backend of one's own.

pub mod clock;
pub mod files;
pub mod readings;
