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
//! # The modules
//!
//! What nearly every program names stands at the root. The rest is found by what it is for.
//!
//! | module | what it holds |
//! |---|---|
//! | [`prelude`] | the traits, and the derives |
//! | [`question`] | conditions, times, the order of rows |
//! | [`answers`] | summaries, buckets, runs, extents, streams |
//! | [`declare`] | what a declaration says, besides the attributes |
//! | [`options`] | settings of the recorder |
//! | [`report`] | counters, events, what closing and restoring report |
//! | [`error`] | what can go wrong |
//! | [`backend`] | the contract with what stores rows |
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

mod aggregate;
#[cfg(feature = "recorder")]
mod aimdb;
// Rules, counters and reports of a record are kept with its state. Only recording uses them.
#[cfg_attr(not(feature = "recorder"), allow(dead_code))]
mod archive;
#[cfg(feature = "conformance")]
pub mod conformance;
mod declaration;
mod query;
#[cfg(feature = "recorder")]
mod recorder;
#[cfg_attr(not(feature = "recorder"), allow(dead_code))]
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
        BoxError, DecodeError, KeyError, PatternError, PersistenceError, StorageError,
        StorageErrorKind,
    };
}
/// What a declaration says, besides the attributes of `#[persist(…)]`.
pub mod declare {
    pub use aimdb_persistence_backend::FieldKind;

    pub use crate::declaration::declared::{BufferKind, Declaration, Record};
    pub use crate::declaration::event_time::{EventTime, IntegerTime, RowTime, TimeUnit};
    pub use crate::declaration::field::HasFields;
    pub use crate::declaration::field_info::FieldInfo;
    pub use crate::declaration::field_path::FieldPath;
    pub use crate::declaration::key_value::{decode_key_value, encode_key_value};
    pub use crate::declaration::numeric::Numeric;
    pub use crate::typed::persist::LiteralKey;
}
/// Settings of [`PersistenceOptions`] that are several values in one.
pub mod options {
    pub use crate::archive::options::BacklogLimits;
    pub use crate::archive::remote_access::{RemoteHistory, RemoteLimits};
}
/// What a question is made of: conditions, times, and the order of the rows.
pub mod question {
    pub use aimdb_persistence_backend::Order;

    pub use crate::aggregate::lengths::Calendar;
    pub use crate::declaration::stored_field::StoredField;
    pub use crate::query::filter::row_test::RowTest;
    pub use crate::query::filter::{Filter, Operand, RowFilter, TextField};
    pub use crate::query::moment::{CalendarZone, Moment, TimeSpan};
}
/// What questions are answered with, other than rows.
pub mod answers {
    pub use crate::aggregate::summary::{Sample, Summary, WholeNumbers};
    pub use crate::query::answers::aggregate::{Aggregate, SeriesSummary};
    pub use crate::query::answers::bucket::{Bucket, Gaps};
    pub use crate::query::answers::buckets::Buckets;
    pub use crate::query::answers::changes::Run;
    pub use crate::query::answers::erase::Deleted;
    pub use crate::query::answers::extent::SeriesExtent;
    pub use crate::query::answers::listing::PersistedSeries;
    pub use crate::query::answers::states::TimeInState;
    pub use crate::query::answers::stream::HistoryStream;
}
/// What is told of recording: events, counters and reports.
pub mod report {
    pub use aimdb_persistence_backend::{BackendHealth, FreshStart, LostCommits, NewHistory};

    pub use crate::archive::event::LossKind;
    pub use crate::archive::stats::{Counts, RecordStats};
    #[cfg(feature = "recorder")]
    pub use crate::recorder::flush::CloseReport;
    #[cfg(feature = "recorder")]
    pub use crate::recorder::restore::{RestoreOutcome, RestoreReport, RestoredSeries};
}
/// A path of the published 0.1. The root has the name too.
#[cfg(feature = "recorder")]
#[doc(hidden)]
pub mod builder_ext {
    pub use crate::aimdb::builder::AimDbBuilderPersistExt;
}
/// A path of the published 0.1. The root has the name too.
#[cfg(feature = "recorder")]
#[doc(hidden)]
pub mod ext {
    pub use crate::aimdb::builder::RecordRegistrarPersistExt;
}
/// A path of the published 0.1. The root has the name too.
#[cfg(feature = "recorder")]
#[doc(hidden)]
pub mod query_ext {
    pub use crate::aimdb::database::AimDbQueryExt;
}
/// What the code that the derives write stands on. Programs import from the other modules.
#[doc(hidden)]
pub mod derived {
    pub use aimdb_persistence_backend::{
        DecodeError, FieldKind, KeyError, OnDuplicate, Packing, Retention,
    };

    pub use crate::declaration::declared::{
        BufferKind, Declaration, Declared, Record, Recordable, Restore, decode_newest,
    };
    pub use crate::declaration::event_time::{RowTime, TimeUnit};
    pub use crate::declaration::field::{Field, HasFields};
    pub use crate::declaration::field_info::FieldInfo;
    pub use crate::declaration::numeric::number_field;
    pub use crate::declaration::policy::{Deadband, Keep, Policy};
    pub use crate::declaration::versions::{NextVersion, OlderVersion, decode, lift, version_of};
    pub use crate::error::PersistenceError;
    pub use crate::query::ask::Ask;
    pub use crate::query::history::History;
    pub use crate::typed::marker;
    pub use crate::typed::persist::{DeclaresItself, LiteralKey, Persist};
    pub use crate::typed::series::Series;
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
    BoxFuture, MemoryBackend, OnDuplicate, Packing, Pattern, PersistenceBackend, PersistenceError,
    QueryParams, Retention, StorageError, StorageErrorKind, StoredValue,
};
#[cfg(feature = "derive")]
pub use aimdb_persistence_derive::{Fields, Persist};

#[cfg(feature = "recorder")]
pub use self::aimdb::builder::{AimDbBuilderPersistExt, RecordRegistrarPersistExt};
#[cfg(feature = "recorder")]
pub use self::aimdb::database::AimDbQueryExt;
#[cfg(feature = "recorder")]
pub use self::aimdb::handle::PersistenceHandle;
pub use self::archive::Archive;
pub use self::archive::event::PersistenceEvent;
pub use self::archive::options::PersistenceOptions;
pub use self::archive::stats::PersistenceStats;
pub use self::declaration::declared::{Declared, Restore};
pub use self::declaration::field::Field;
pub use self::declaration::policy::{Deadband, Keep, Policy};
pub use self::query::answers::rows::Persisted;
pub use self::query::ask::Ask;
pub use self::query::history::History;
pub use self::typed::persist::Persist;
pub use self::typed::series::Series;
