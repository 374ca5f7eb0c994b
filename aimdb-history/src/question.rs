//! What is asked: times, fields, conditions, and which rows.

pub(crate) mod fields;
pub(crate) mod rows;
pub(crate) mod times;
pub(crate) mod where_clause;

pub use self::fields::{Fields, KnownField};
pub use self::rows::{Pages, Selection};
pub use self::times::{Bound, Clock, rfc3339, show_length};
pub use self::where_clause::{Test, WhereClause, WhereError};
