//! Keys of series: non-empty segments separated by `.` or `::`.

use crate::contract::quoted::Quoted;

/// One of the two separators, as a bit, so that a set of them is a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Separator {
    Dot = 1,
    DoubleColon = 2,
}

/// Why a text cannot be a record key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a record key: {reason}", Quoted(.key))]
pub struct KeyError {
    key: String,
    reason: String,
}

impl KeyError {
    /// For a key that this backend, or this place, has no use for.
    pub fn new(key: &str, reason: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            reason: reason.into(),
        }
    }

    /// The offending text.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Checks that `key` can name a series: non-empty segments separated by `.` or `::`, no control characters,
/// and none of `*`, `#`, `{`, `}`, which have a meaning in patterns and templates.
///
/// # Errors
/// Says which of these rules the key breaks.
///
/// ```
/// use aimdb_persistence_backend::validate_key;
///
/// assert!(validate_key("accuracy::vienna").is_ok());
/// assert_eq!(
///     validate_key("sensors..a").unwrap_err().to_string(),
///     "`sensors..a` is not a record key: it has an empty segment",
/// );
/// ```
pub fn validate_key(key: &str) -> Result<(), KeyError> {
    if let Some(c) = key.chars().find(|c| c.is_control()) {
        return Err(KeyError::new(
            key,
            format!("it contains the control character {c:?}"),
        ));
    }
    if let Some(c) = key.chars().find(|c| "*#{}".contains(*c)) {
        return Err(KeyError::new(
            key,
            format!("`{c}` has a meaning in patterns and templates"),
        ));
    }
    segments(key)
        .try_for_each(|segment| segment.map(drop))
        .map_err(|reason| KeyError::new(key, reason))
}

/// Checks a value that is to stand for a `{placeholder}`: it must stay within its segment.
///
/// # Errors
/// Says what in the value would break out of the segment.
pub fn validate_placeholder_value(value: &str) -> Result<(), KeyError> {
    if value.is_empty() {
        return Err(KeyError::new(
            value,
            "a placeholder's value must not be empty",
        ));
    }
    if value.contains('.') || value.contains("::") {
        return Err(KeyError::new(
            value,
            "a placeholder's value must not contain a separator (`.` or `::`); `encode_key_value` writes it so that it can stand in a key",
        ));
    }
    validate_key(value)
}

/// A text cut at every separator, into segments with the separator before each (the first has none); ends with the
/// first one that is malformed. A run of three colons or more is ambiguous.
pub(super) struct Segments<'a> {
    rest: Option<&'a str>,
    separator: Option<Separator>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<(Option<Separator>, &'a str), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let bytes = rest.as_bytes();
        let is_separator = |at: &usize| match bytes[*at] {
            b'.' => true,
            b':' => bytes.get(at + 1) == Some(&b':'),
            _ => false,
        };
        let end = (0..bytes.len()).find(is_separator);
        let segment = &rest[..end.unwrap_or(rest.len())];
        let separator = self.separator;
        if segment.is_empty() {
            let is_whole = separator.is_none() && end.is_none();
            return Some(Err(if is_whole {
                "it is empty"
            } else {
                "it has an empty segment"
            }));
        }
        if let Some(end) = end {
            let tail = &rest[end..];
            if tail.starts_with(":::") {
                return Some(Err("`:::` is ambiguous: write `::` between segments"));
            }
            let after_colons = tail.strip_prefix("::");
            self.separator = Some(after_colons.map_or(Separator::Dot, |_| Separator::DoubleColon));
            self.rest = Some(after_colons.unwrap_or_else(|| &tail[1..]));
        }
        Some(Ok((separator, segment)))
    }
}

pub(super) fn segments(text: &str) -> Segments<'_> {
    Segments {
        rest: Some(text),
        separator: None,
    }
}
