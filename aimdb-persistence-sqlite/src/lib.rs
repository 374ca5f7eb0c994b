//! Embedded SQLite history for AimDB records.
//!
//! One thread writes: it commits everything that is queued as one transaction. A few others read. A query costs the rows
//! that it returns, not the rows that are stored. The history is one ordinary SQLite file. Its view
//! `record_history(id, record_name, value_json, stored_at)` is for the `sqlite3` shell and other tools.

// Tests look at files that nothing has open.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

// Top to bottom: a file imports from the layers below its own and from its own, never upwards.
mod backend;

mod threads {
    pub(crate) mod chores;
    pub(crate) mod command;
    pub(crate) mod keeper;
    pub(crate) mod lifecycle;
    pub(crate) mod loss;
    pub(crate) mod queue;
    pub(crate) mod reader;
    pub(crate) mod writer;
}

mod pack {
    pub(crate) mod now;
    pub(crate) mod packing;
    pub(crate) mod plan;
    pub(crate) mod step;
}

mod remove {
    pub(crate) mod clock;
    pub(crate) mod erase;
    pub(crate) mod evict;
    pub(crate) mod expired;
    pub(crate) mod limit;
    pub(crate) mod removal;
    pub(crate) mod rows;
    pub(crate) mod shrink;
    pub(crate) mod size;
    pub(crate) mod sweep;
}

mod write {
    pub(crate) mod chore;
    pub(crate) mod connection;
    pub(crate) mod declared;
    pub(crate) mod duplicates;
    pub(crate) mod insert;
    pub(crate) mod merging;
    pub(crate) mod placed;
    pub(crate) mod refusals;
    pub(crate) mod rename;
}

mod copy {
    pub(crate) mod backup;
    pub(crate) mod cut_log;
    pub(crate) mod salvage;
    pub(crate) mod salvaged;
    pub(crate) mod saving;
    pub(crate) mod saving_chunks;

    pub(crate) mod pages {
        pub(crate) mod cells;
        pub(crate) mod entry;
        pub(crate) mod image;
        pub(crate) mod reach;
        pub(crate) mod record;
        pub(crate) mod search;
        pub(crate) mod standing;
    }
}

mod read {
    pub(crate) mod catalog;
    pub(crate) mod cursor;
    pub(crate) mod found;
    pub(crate) mod last_stored;
    pub(crate) mod packed;
    pub(crate) mod packed_series;
    pub(crate) mod page;
    pub(crate) mod reading;
    pub(crate) mod scan;
    pub(crate) mod source;
    pub(crate) mod stored_row;
    pub(crate) mod walk;
}

mod file {
    pub(crate) mod check;
    pub(crate) mod damage;
    pub(crate) mod format;
    pub(crate) mod frames;
    pub(crate) mod identity;
    pub(crate) mod links;
    pub(crate) mod log;
    pub(crate) mod open;
    pub(crate) mod open_here;
    pub(crate) mod opened;
    pub(crate) mod parting;
    pub(crate) mod paths;
    pub(crate) mod quarantine;
    pub(crate) mod read_only;
    pub(crate) mod reserve;
    pub(crate) mod rewriting;
    pub(crate) mod settings;
    pub(crate) mod side_by_side;
    pub(crate) mod survey;
    pub(crate) mod takeover;
    pub(crate) mod version;
}

mod chunks {
    pub(crate) mod as_json;
    pub(crate) mod change;
    pub(crate) mod count;
    pub(crate) mod place;
    pub(crate) mod rows;
}

mod layout {
    pub(crate) mod chunk_sql;
    pub(crate) mod declared;
    pub(crate) mod functions;
    pub(crate) mod large;
    pub(crate) mod last_stored;
    pub(crate) mod merge;
    pub(crate) mod place;
    pub(crate) mod schema;
    pub(crate) mod seal;
    pub(crate) mod sql;
    pub(crate) mod state;
    pub(crate) mod tail;
    pub(crate) mod transaction;
}

mod error;
mod health;
mod location;
mod options;
mod report;

pub use backend::SqliteBackend;
pub use chunks::as_json::history_rows;
pub use copy::salvage::salvage;
pub use copy::salvaged::SalvageReport;
pub use file::check::{CheckProgress, CheckReport};
pub use layout::schema::HISTORY_VIEW;
pub use options::{Durability, OnCorruption, SqliteBackendBuilder};
pub use read::packed_series::PackedSeries;
