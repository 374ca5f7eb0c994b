//! x
pub mod backend;
mod declaration;
pub mod error;
mod event;
mod extension;
mod json;
mod options;
mod pattern;
mod persist;
mod persistence;
mod query;
mod recorder;
mod retention;
mod rows;
mod stats;
mod time;

#[cfg(feature = "aimdb-1")]
mod aimdb1;

pub use backend::*;
pub use declaration::*;
pub use error::*;
pub use event::*;
pub use extension::*;
pub use options::*;
pub use pattern::{KeyError, Pattern, PatternError, validate_key};
pub use persist::*;
pub use persistence::*;
pub use rows::*;
pub use stats::{Counts, PersistenceStats, RecordStats};
pub use time::{EventTime, Retention};
