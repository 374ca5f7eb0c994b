//! Lengths of time as [`aimdb-persistence`](https://docs.rs/aimdb-persistence) takes them: a whole number and a unit,
//! such as `"90s"`, `"15m"`, `"12h"`, `"7d"`, `"2w"` or `"1y"`, and for a retention also `"forever"`.
//!
//! `#[derive(Persist)]` reads declarations with it, at compile time, and queries read their arguments with it, at run
//! time. What a length is for is its [`Purpose`]: it decides which units make sense, and how a mistake is explained.
//!
//! ```
//! use aimdb_persistence_duration::{Purpose, Retention, parse_ms, parse_retention};
//!
//! assert_eq!(parse_ms("15m", Purpose::BucketWidth), Ok(15 * 60 * 1_000));
//! assert_eq!(parse_retention("forever"), Ok(Retention::Forever));
//!
//! // `M` may be meant as a month or as minutes: the message names both.
//! let error = parse_ms("1M", Purpose::Span).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "`1M` is not a length of time: months differ in length, so there is no such unit (and `m` is minutes); \
//!      write days, such as `30d`"
//! );
//! ```

mod error;
mod length;
mod purpose;
mod text;
mod unit;

pub use crate::error::{InvalidLength, Problem};
pub use crate::length::{Retention, parse_ms, parse_retention};
pub use crate::purpose::Purpose;
pub use crate::unit::describe_ms;

#[cfg(test)]
mod tests;
