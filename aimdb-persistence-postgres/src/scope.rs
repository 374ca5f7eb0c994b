//! Whose rows are asked for.

use std::sync::Arc;

use aimdb_persistence_backend::Pattern;

/// Which sources a query sees.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// The one of this name: the program's own.
    One(Arc<str>),
    Matching(Pattern),
    All,
}

impl Scope {
    pub(crate) fn is_many(&self) -> bool {
        !matches!(self, Self::One(_))
    }

    pub(crate) fn includes(&self, source: &str) -> bool {
        match self {
            Self::One(name) => **name == *source,
            Self::Matching(pattern) => pattern.matches(source),
            Self::All => true,
        }
    }
}
