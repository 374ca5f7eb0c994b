#![cfg_attr(feature = "conformance", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "conformance"),
    doc = "What stores the rows of an AimDB history: the contract, for the authors of backends. The README says how to write \
           one; it is this page with the feature `conformance`."
)]

#[cfg(feature = "conformance")]
pub mod conformance;
mod contract;
pub mod json;
mod memory;
mod refusals;

/// For `aimdb-persistence` alone, and without a promise: its conformance suite goes on where the one of this crate ends,
/// so it makes checks of the same kind and speaks to backends in the same way.
#[cfg(feature = "conformance")]
#[doc(hidden)]
pub mod internal {
    pub use crate::conformance::lottery::Lottery;
    pub use crate::conformance::subject::{Subject, expect_rows, in_order, row};
}

pub use self::contract::backend::{
    BoxFuture, PersistenceBackend, QueryParams, StoredValue, check_rename,
};
pub use self::contract::by_read::{query_by_read, scan_by_read};
pub use self::contract::cursor::{Cursor, CursorError};
pub use self::contract::error::{
    BoxError, DecodeError, PersistenceError, Retry, StorageError, StorageErrorKind,
};
pub use self::contract::feature::Feature;
pub use self::contract::health::{BackendHealth, FreshStart, LostCommits, NewHistory};
pub use self::contract::key::{KeyError, validate_key, validate_placeholder_value};
pub use self::contract::pattern::{Pattern, PatternError};
pub use self::contract::quoted::{Quoted, on_one_line};
pub use self::contract::read::{Order, Page, ReadRequest};
pub use self::contract::required::RequiredOnly;
pub use self::contract::retention::Retention;
pub use self::contract::rows::{Row, Rows};
pub use self::contract::scan::{RowVisitor, ScanRest, Scanned, Visit};
pub use self::contract::terms::{
    BatchOutcome, DeclaredField, FieldKind, OnDuplicate, Packing, SeriesDeclaration, SweepReport,
    SweepRequest,
};
pub use self::memory::MemoryBackend;
pub use self::refusals::refusals;
