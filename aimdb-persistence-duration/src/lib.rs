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
mod purpose;
mod text;
mod unit;

pub use crate::error::{InvalidLength, Problem};
pub use crate::purpose::Purpose;
pub use crate::unit::describe_ms;

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// No row is removed for its age.
    Forever,
    /// Rows are kept for so many milliseconds, at least one.
    Milliseconds(u64),
}

/// Reads a length of time, in milliseconds. It is never 0.
///
/// # Errors
/// Says what is wrong with the text, and what to write instead. `"forever"` is refused for every purpose: of a
/// retention, which may be unlimited, [`parse_retention`] reads it.
pub fn parse_ms(text: &str, purpose: Purpose) -> Result<u64, InvalidLength> {
    text::parse_ms(text, purpose).map_err(|problem| InvalidLength::new(text, purpose, problem))
}

/// Reads a retention: a length of time of at least a second, or `"forever"`.
///
/// # Errors
/// Says what is wrong with the text, and what to write instead.
pub fn parse_retention(text: &str) -> Result<Retention, InvalidLength> {
    match text {
        "forever" => Ok(Retention::Forever),
        _ => parse_ms(text, Purpose::Retention).map(Retention::Milliseconds),
    }
}

#[cfg(test)]
mod tests;
