//! Sees, moves and repairs an AimDB history, without writing Rust.
//!
//! The program `aimdb-history` is a thin layer over this library: whatever it does is a call here first, so that a program
//! can offer it itself.

// Top to bottom: a file imports from the layers below its own and from its own, never upwards.
pub mod chart;
pub mod command_line;
mod commands;
pub mod error;
pub mod exchange;
pub mod kept;
pub mod location;
pub mod output;
pub mod question;
mod raw;
pub mod seen;
pub mod sql;
pub mod transfer;
pub mod written;

pub use self::error::HistoryError;
pub use self::location::{Location, OpenHistory, Purpose};
