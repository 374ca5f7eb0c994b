//! x
pub mod backend;
#[cfg(feature = "conformance")]
pub mod conformance;
mod declaration;
pub mod error;
mod memory;
mod pattern;
mod rows;
mod time;
#[cfg(feature = "derive")]
pub use aimdb_persistence_derive::Persist;
pub use backend::*;
pub use declaration::*;
pub use error::*;
pub use memory::MemoryBackend;
pub use pattern::{KeyError, Pattern, PatternError, validate_key};
pub use rows::*;
pub use time::{EventTime, Retention};
