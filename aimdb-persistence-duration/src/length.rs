//! A text as a length of time, or as a retention.

use crate::error::InvalidLength;
use crate::purpose::Purpose;
use crate::text;

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
