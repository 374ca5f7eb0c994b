//! `pack = "1d"`, `pack = "never"`: when rows are packed.

use aimdb_persistence_duration::{Purpose, parse_ms};

/// When rows of a type are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pack {
    Never,
    /// When they are so many milliseconds old.
    After(u64),
}

/// Reads when rows are packed.
///
/// # Errors
/// Says what to write instead.
pub(crate) fn parse(text: &str) -> Result<Pack, String> {
    if text == "never" {
        return Ok(Pack::Never);
    }
    if text.trim().eq_ignore_ascii_case("never") {
        return Err("write `pack = \"never\"`, in lower case and without spaces".to_owned());
    }
    let age_ms = parse_ms(text, Purpose::Packing).map_err(|error| error.to_string())?;
    Ok(Pack::After(age_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_packed_at_an_age_or_never() {
        assert_eq!(parse("never"), Ok(Pack::Never));
        assert_eq!(parse("2d"), Ok(Pack::After(172_800_000)));
        for (text, advice) in [
            ("Never", "lower case"),
            ("forever", "never"),
            ("0d", "once they are old"),
            ("2", "unit"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(advice), "{text:?}: {message}");
        }
    }
}
