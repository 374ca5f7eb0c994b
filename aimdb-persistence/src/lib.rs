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
//! `Temperature::series("sf").register(&mut builder)` adds the record with its buffer, and records every value.
//! `Temperature::query_latest(&db, 1)` asks for the newest value of every station. The project's README shows the
//! whole path, from the builder to the answer. `use aimdb_persistence::prelude::*;` imports what a program needs.
//!
//! # The parts
//!
//! - [`AimDbBuilderPersistExt`]: `.with_persistence(backend, retention)` on the builder.
//! - [`Persist`] and [`Series`]: what `#[derive(Persist)]` gives a type.
//! - [`RecordRegistrarPersistExt`]: `.persist("key")` for records without a declaration.
//! - [`Ask`]: questions to a running database, or to an [`Archive`], which needs no database.
//! - [`History`]: a question of several steps, and its answers.
//! - [`AimDbQueryExt`]: queries by pattern, flush, close and statistics on the running database.
//! - [`PersistenceBackend`]: stores the rows. [`MemoryBackend`] is one. SQLite is in the crate
//!   `aimdb-persistence-sqlite`. Three methods make another.
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
//! What a backend's author needs is in the crate `aimdb-persistence-backend`, and under [`backend`].

// Without an AimDB nothing is recorded: what the recorder asks of a record's state and its rules is not used then.
#![cfg_attr(not(feature = "recorder"), allow(dead_code))]

mod aggregate;
#[cfg(feature = "recorder")]
mod aimdb;
mod archive;
#[cfg(feature = "conformance")]
pub mod conformance;
mod declaration;
mod query;
#[cfg(feature = "recorder")]
mod recorder;
mod thinning;
mod time;
mod typed;

/// The contract with what stores rows: all that the author of a backend needs, from the crate
/// `aimdb-persistence-backend`.
pub mod backend {
    pub use aimdb_persistence_backend::*;
}
/// What can go wrong.
pub mod error {
    pub use aimdb_persistence_backend::{
        BoxError, DecodeError, PersistenceError, StorageError, StorageErrorKind,
    };
}
/// What a program imports to declare, record and ask: `use aimdb_persistence::prelude::*;`.
pub mod prelude {
    #[cfg(feature = "derive")]
    pub use aimdb_persistence_derive::{Fields, Persist};

    #[cfg(feature = "recorder")]
    pub use crate::aimdb::builder::{AimDbBuilderPersistExt, RecordRegistrarPersistExt};
    #[cfg(feature = "recorder")]
    pub use crate::aimdb::database::AimDbQueryExt;
    pub use crate::archive::Archive;
    pub use crate::declaration::declared::Declared;
    pub use crate::query::ask::Ask;
    pub use crate::typed::persist::Persist;
}

pub use aimdb_persistence_backend::{
    BackendHealth, BoxFuture, DecodeError, FieldKind, FreshStart, KeyError, MemoryBackend,
    NewHistory, OnDuplicate, Order, Pattern, PatternError, PersistenceBackend, PersistenceError,
    QueryParams, Retention, StorageError, StorageErrorKind, StoredValue,
};
#[cfg(feature = "derive")]
pub use aimdb_persistence_derive::{Fields, Persist};

pub use self::aggregate::lengths::Calendar;
pub use self::aggregate::summary::{Sample, Summary, WholeNumbers};
#[cfg(feature = "recorder")]
pub use self::aimdb::builder::{AimDbBuilderPersistExt, RecordRegistrarPersistExt};
#[cfg(feature = "recorder")]
pub use self::aimdb::database::AimDbQueryExt;
#[cfg(feature = "recorder")]
pub use self::aimdb::handle::PersistenceHandle;
pub use self::archive::Archive;
pub use self::archive::event::{LossKind, PersistenceEvent};
pub use self::archive::options::{BacklogLimits, PersistenceOptions};
pub use self::archive::remote_access::{RemoteHistory, RemoteLimits};
pub use self::archive::stats::{Counts, PersistenceStats, RecordStats};
#[doc(hidden)]
pub use self::declaration::declared::decode_newest;
pub use self::declaration::declared::{
    BufferKind, Declaration, Declared, FieldInfo, Record, Restore,
};
pub use self::declaration::event_time::{EventTime, IntegerTime, RowTime, TimeUnit};
pub use self::declaration::field::{Field, HasFields};
pub use self::declaration::field_path::FieldPath;
pub use self::declaration::key_value::{decode_key_value, encode_key_value};
pub use self::declaration::numeric::Numeric;
#[doc(hidden)]
pub use self::declaration::numeric::number_field;
pub use self::declaration::policy::{Deadband, Keep, Policy};
#[doc(hidden)]
pub use self::declaration::versions::{NextVersion, OlderVersion, decode, lift, version_of};
pub use self::query::answers::aggregate::{Aggregate, SeriesSummary};
pub use self::query::answers::bucket::{Bucket, Gaps};
pub use self::query::answers::buckets::Buckets;
pub use self::query::answers::changes::Run;
pub use self::query::answers::erase::Deleted;
pub use self::query::answers::extent::SeriesExtent;
pub use self::query::answers::listing::PersistedSeries;
pub use self::query::answers::rows::Persisted;
pub use self::query::answers::states::TimeInState;
pub use self::query::answers::stream::HistoryStream;
pub use self::query::ask::Ask;
pub use self::query::filter::{Filter, Operand, RowFilter, TextField};
pub use self::query::history::History;
pub use self::query::moment::{CalendarZone, Moment, TimeSpan};
#[cfg(feature = "recorder")]
pub use self::recorder::flush::CloseReport;
#[cfg(feature = "recorder")]
pub use self::recorder::restore::{RestoreOutcome, RestoreReport, RestoredSeries};
pub use self::typed::persist::{LiteralKey, Persist};
pub use self::typed::series::Series;
