//! Text from elsewhere, as a message shows it.

use std::borrow::Cow;
use std::fmt;

/// So many characters of a text are shown. A longer one is cut.
const SHOWN_CHARACTERS: usize = 120;

/// A name or a pattern as a message shows it: on one line, its control characters escaped, and cut where it is long.
/// Names come from other programs and from the network, and messages go into logs.
///
/// ```
/// use aimdb_persistence_backend::Quoted;
///
/// assert_eq!(Quoted("temperature.sf").to_string(), "temperature.sf");
/// assert_eq!(Quoted("two\nlines").to_string(), "two\\nlines");
/// assert!(Quoted(&"a.".repeat(20_000)).to_string().ends_with("… (40000 bytes)"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.0.char_indices().nth(SHOWN_CHARACTERS) {
            Some((end, _)) => &self.0[..end],
            None => self.0,
        };
        write!(f, "{}", shown.escape_debug())?;
        match shown.len() < self.0.len() {
            true => write!(f, "… ({} bytes)", self.0.len()),
            false => Ok(()),
        }
    }
}

/// A message for a log, whose control characters are escaped. What names, paths and foreign errors bring along then ends no
/// line and moves no cursor.
///
/// ```
/// use aimdb_persistence_backend::on_one_line;
///
/// assert_eq!(on_one_line("21.5 °C, “warm”"), "21.5 °C, “warm”");
/// assert_eq!(on_one_line("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
/// ```
pub fn on_one_line(message: &str) -> Cow<'_, str> {
    if !message.contains(char::is_control) {
        return Cow::Borrowed(message);
    }
    let escaped = message.chars().map(|c| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    });
    Cow::Owned(escaped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_its_line_whatever_is_quoted_in_it() {
        assert_eq!(on_one_line("21.5 °C, “warm”"), "21.5 °C, “warm”");
        assert_eq!(on_one_line("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(Quoted("a\nb\u{1b}[2J").to_string(), "a\\nb\\u{1b}[2J");
    }
}
