//! Embedded SQLite history for AimDB records.
//!
//! One thread writes and commits whatever is queued as one transaction; a few others read. A query
//! costs the rows that it returns, not those that are stored. The history lies in one ordinary
//! SQLite file, which the view `record_history(id, record_name, value_json, stored_at)` opens to
//! the `sqlite3` shell and other tools.

mod backend;
mod backup;
mod catalog;
mod contract;
mod declared;
mod duplicates;
mod error;
mod evict;
mod file;
mod insert;
mod judge;
mod keeper;
mod limit;
mod log;
mod loss;
mod merge;
mod open;
mod options;
mod page;
mod place;
mod quarantine;
mod queue;
mod reader;
mod rename;
mod report;
mod reserve;
mod salvage;
mod scan;
mod schema;
mod settings;
mod shrink;
mod sql;
mod state;
mod stretch;
mod sweep;
mod tail;
mod takeover;
mod targets;
mod threads;
mod transaction;
mod version;
mod walk;
mod write;
mod writer;

pub use backend::SqliteBackend;
pub use options::{Durability, OnCorruption, SqliteBackendBuilder};
pub use salvage::{SalvageReport, salvage};
