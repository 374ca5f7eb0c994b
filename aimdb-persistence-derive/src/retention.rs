//! `retention = "7d"`: how long rows are kept.

use crate::duration;

/// A retention as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retention {
    Forever,
    Milliseconds(u64),
}

/// Reads a retention.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse(text: &str) -> Result<Retention, String> {
    match text {
        "forever" => Ok(Retention::Forever),
        _ => duration::parse(&duration::RETENTION, text).map(Retention::Milliseconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_a_length_of_time_or_for_ever() {
        assert_eq!(parse("forever"), Ok(Retention::Forever));
        assert_eq!(parse("7d"), Ok(Retention::Milliseconds(604_800_000)));
    }
}
