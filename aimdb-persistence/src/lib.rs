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

mod aimdb1;
mod aimdb2;
pub mod backend;
#[cfg(feature = "conformance")]
pub mod conformance;
mod database;
mod declaration;
pub mod error;
mod event;
mod event_time;
mod extension;
mod feature;
mod field;
mod filter;
mod health;
mod history;

mod json;
mod listing;
mod memory;
mod numeric;
mod options;
mod pattern;
mod persist;
mod persistence;
mod policy;
mod projection;
mod query;
mod read;
mod recorder;
mod remote;
mod restore;
mod retention;
mod rows;
mod scalar;
mod scan;
mod selection;
mod series;
mod stats;
mod time;
mod versions;

#[cfg(feature = "derive")]
pub use aimdb_persistence_derive::{Fields, Persist};

pub use self::backend::{
    BatchOutcome, BoxFuture, Cursor, Feature, Order, Page, PersistenceBackend, QueryParams,
    ReadRequest, RowVisitor, ScanRest, Scanned, SeriesDeclaration, StoredValue, SweepReport,
    SweepRequest, Visit, check_rename,
};
pub use self::database::AimDbQueryExt;
pub use self::declaration::{BufferKind, Declaration, FieldInfo, Record, Restore};
pub use self::error::{BoxError, DecodeError, PersistenceError, StorageError, StorageErrorKind};
pub use self::event::{LossKind, PersistenceEvent};
pub use self::event_time::{EventTime, IntegerTime, RowTime, TimeUnit};
pub use self::extension::{AimDbBuilderPersistExt, RecordRegistrarPersistExt};
pub use self::field::{Field, HasFields};
pub use self::filter::{Filter, Operand, TextField};
pub use self::health::{BackendHealth, FreshStart};
#[cfg(feature = "jiff")]
pub use self::history::Calendar;
pub use self::history::{
    Aggregate, Bucket, Buckets, Deleted, Gaps, History, HistoryStream, Moment, Persisted, Run,
    Sample, SeriesExtent, SeriesSummary, Summary, TimeInState, TimeSpan,
};
pub use self::listing::PersistedSeries;
pub use self::memory::MemoryBackend;
pub use self::numeric::Numeric;
#[doc(hidden)]
pub use self::numeric::number_field;
pub use self::options::PersistenceOptions;
pub use self::pattern::{KeyError, Pattern, PatternError, validate_key};
pub use self::persist::{LiteralKey, Persist};
pub use self::persistence::CloseReport;
pub use self::policy::{Deadband, Keep, OnDuplicate, Policy};
pub use self::remote::RemoteHistory;
pub use self::restore::{RestoreOutcome, RestoreReport, RestoredSeries};
pub use self::rows::{Row, Rows};
pub use self::series::Series;
pub use self::stats::{Counts, PersistenceStats, RecordStats};
pub use self::time::Retention;
#[doc(hidden)]
pub use self::versions::{NextVersion, OlderVersion, decode, decode_newest, lift};
