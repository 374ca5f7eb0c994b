//! A history for any [AimDB](https://github.com/aimdb-dev/aimdb) database, declared on the record's own type.
//!
//! ```
//! use aimdb_persistence::Persist;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
//! #[persist(key = "temperature.{station}", retention = "7d")]
//! struct Temperature {
//!     celsius: f64,
//!     #[persist(timestamp)]
//!     at: u64, // Unix milliseconds
//! }
//!
//! assert_eq!(Temperature::series("sf").key(), "temperature.sf");
//! ```
//!
//! `Temperature::series("sf").register(&mut builder)` adds the record with its buffer and records every value;
//! `Temperature::query_latest(&db, 1)` asks the newest of every station back. The project's README shows the whole
//! path, from the builder to the answer.
//!
//! # The parts
//!
//! - [`AimDbBuilderPersistExt`]: `.with_persistence(backend, retention)` on the builder.
//! - [`Persist`] and [`Series`]: what `#[derive(Persist)]` gives a type.
//! - [`RecordRegistrarPersistExt`]: `.persist("key")` for records without a declaration.
//! - [`AimDbQueryExt`]: queries, flush, close and statistics on the running database.
//! - [`PersistenceBackend`]: what stores the rows. [`MemoryBackend`] is one; SQLite is in the crate
//!   `aimdb-persistence-sqlite`; three methods make another.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | nothing; kept for manifests written for the published 0.1 |
//! | `derive` | yes | `#[derive(Persist)]` |
//! | `aimdb-1` | yes | the extension traits for `aimdb-core` 1.1 |
//! | `aimdb-2` | no | the extension traits for `aimdb-core` 2 |
//! | `jiff`, `chrono`, `time` | no | the times of these crates as event times |
//! | `tracing` | no | log events through `tracing` in place of lines on stderr |
//! | `conformance` | no | the test suite for backends |
//!
//! Without an AimDB the crate is what a backend's author needs: the contract, patterns, and the suite.

// A crate without a database to record has no use for the recorder; it is compiled all the same.
#![cfg_attr(not(feature = "recorder"), allow(dead_code, unused_imports))]

mod aggregate;
mod aimdb;
mod archive;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contract;
mod declaration;
mod json;
mod memory;
mod query;
mod recorder;
mod thinning;
mod time;
mod typed;

/// The contract with what stores rows.
pub mod backend {
    pub use crate::contract::backend::*;
}
/// What can go wrong.
pub mod error {
    pub use crate::contract::error::*;
}
#[cfg(feature = "derive")]
pub use aimdb_persistence_derive::{Fields, Persist};

pub use self::aggregate::summary::{Sample, Summary, WholeNumbers};
pub use self::aggregate::width::Calendar;
pub use self::aimdb::builder::{AimDbBuilderPersistExt, RecordRegistrarPersistExt};
pub use self::aimdb::database::AimDbQueryExt;
pub use self::archive::event::{LossKind, PersistenceEvent};
pub use self::archive::options::PersistenceOptions;
pub use self::archive::stats::{Counts, PersistenceStats, RecordStats};
pub use self::contract::backend::{
    BatchOutcome, BoxFuture, Cursor, Feature, Order, Page, PersistenceBackend, QueryParams,
    ReadRequest, RowVisitor, ScanRest, Scanned, SeriesDeclaration, StoredValue, SweepReport,
    SweepRequest, Visit, check_rename,
};
pub use self::contract::error::{
    BoxError, DecodeError, PersistenceError, StorageError, StorageErrorKind,
};
pub use self::contract::health::{BackendHealth, FreshStart};
pub use self::contract::pattern::{KeyError, Pattern, PatternError, validate_key};
pub use self::contract::retention::Retention;
pub use self::contract::rows::{Row, Rows};
pub use self::declaration::declared::{BufferKind, Declaration, FieldInfo, Record, Restore};
pub use self::declaration::event_time::{EventTime, IntegerTime, RowTime, TimeUnit};
pub use self::declaration::field::{Field, HasFields};
pub use self::declaration::numeric::Numeric;
#[doc(hidden)]
pub use self::declaration::numeric::number_field;
pub use self::declaration::policy::{Deadband, Keep, OnDuplicate, Policy};
#[doc(hidden)]
pub use self::declaration::versions::{NextVersion, OlderVersion, decode, decode_newest, lift};
pub use self::memory::MemoryBackend;
pub use self::query::answers::aggregate::{Aggregate, SeriesSummary};
pub use self::query::answers::buckets::{Bucket, Buckets, Gaps};
pub use self::query::answers::changes::Run;
pub use self::query::answers::erase::Deleted;
pub use self::query::answers::extent::SeriesExtent;
pub use self::query::answers::listing::PersistedSeries;
pub use self::query::answers::rows::Persisted;
pub use self::query::answers::states::TimeInState;
pub use self::query::answers::stream::HistoryStream;
pub use self::query::filter::{Filter, Operand, RowFilter, TextField};
pub use self::query::history::History;
pub use self::query::moment::{CalendarZone, Moment, TimeSpan};
pub use self::query::remote::RemoteHistory;
pub use self::recorder::intake::CloseReport;
pub use self::recorder::restore::{RestoreOutcome, RestoreReport, RestoredSeries};
pub use self::typed::persist::{LiteralKey, Persist};
pub use self::typed::series::Series;
