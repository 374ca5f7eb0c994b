//! AimDB history on a PostgreSQL server.
//!
//! Many programs record into one database, each under the name of a source of its own. A row is stored exactly once,
//! whatever becomes of the connection. The view
//! `record_history(id, record_name, value_json, stored_at, source, time, unit, version)` is for `psql` and other tools.

// Top to bottom: a file imports from the layers below its own and from its own, never upwards.
mod backend;

mod threads {
    pub(crate) mod command;
    pub(crate) mod lifecycle;
    pub(crate) mod readers;
    pub(crate) mod writer;
}

mod remove {
    pub(crate) mod bounds;
    pub(crate) mod expired;
    pub(crate) mod removal;
}

mod read {
    pub(crate) mod catalog;
    pub(crate) mod cursor;
    pub(crate) mod declarations;
    pub(crate) mod last_stored;
    pub(crate) mod moments;
    pub(crate) mod page;
}

mod write {
    pub(crate) mod declare;
    pub(crate) mod duplicates;
    pub(crate) mod holding;
    pub(crate) mod insert;
    pub(crate) mod placed;
    pub(crate) mod recording;
    pub(crate) mod refusals;
    pub(crate) mod rename;
}

mod connect {
    pub(crate) mod address;
    pub(crate) mod migrate;
    pub(crate) mod password;
    pub(crate) mod session;
    pub(crate) mod tls;
}

mod layout {
    pub(crate) mod declared;
    pub(crate) mod schema;
    pub(crate) mod tables;
}

mod error;
mod health;
mod options;
mod report;
mod scope;

pub use backend::PostgresBackend;
pub use options::PostgresBackendBuilder;
