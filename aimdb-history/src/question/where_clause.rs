//! The text of `--where`: from words to a condition.

mod clause;
mod grammar;
mod mistake;
mod words;

pub use self::clause::{Test, WhereClause};
pub use self::mistake::WhereError;
use crate::question::where_clause::grammar::Parser;

impl WhereClause {
    /// Reads a condition.
    ///
    /// ```
    /// use aimdb_history::question::WhereClause;
    ///
    /// assert!(WhereClause::parse("celsius > 20 and station = 'sf'").is_ok());
    /// let error = WhereClause::parse("celsius > ").unwrap_err().to_string();
    /// assert!(error.ends_with("\n  celsius > \n            ^"), "{error}");
    /// ```
    ///
    /// # Errors
    /// Says what is expected, with a caret under the place.
    pub fn parse(text: &str) -> Result<Self, WhereError> {
        Parser::of(text)?.whole()
    }
}
