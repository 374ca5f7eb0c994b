//! A mistake in a condition, and where it is.

use std::fmt;

/// Why a condition cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhereError {
    text: String,
    /// In bytes.
    pub(crate) at: usize,
    pub(crate) reason: String,
}

impl WhereError {
    pub(crate) fn new(text: &str, at: usize, reason: impl Into<String>) -> Self {
        Self {
            text: text.to_owned(),
            at,
            reason: reason.into(),
        }
    }
}

impl std::error::Error for WhereError {}

/// The reason, and a caret under the place.
impl fmt::Display for WhereError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Control characters would move the caret.
        let shown: String = self
            .text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let before = self.text.get(..self.at).unwrap_or(&self.text);
        let width = before.chars().count();
        write!(f, "{}\n  {shown}\n  {:width$}^", self.reason, "")
    }
}
