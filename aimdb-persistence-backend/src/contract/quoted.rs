//! Text from elsewhere, as a message shows it.

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
