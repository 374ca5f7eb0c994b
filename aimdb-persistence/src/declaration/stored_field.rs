//! A field that is known by its stored names alone, and a field of either kind as a place in the stored JSON.

use std::fmt::{self, Display};
use std::sync::Arc;

use aimdb_persistence_backend::json::Projection;

use crate::declaration::field_path::FieldPath;

/// A field of rows whose type this program does not have: the names that lead to it in the stored JSON, from the outside
/// in.
///
/// It is for programs that learn the names when they run, from a command line, a configuration, or what a backend says
/// [is declared](crate::PersistenceBackend::declarations). A program that has the type uses [`Field`](crate::Field): the
/// compiler checks it.
///
/// ```
/// use aimdb_persistence::prelude::*;
/// use aimdb_persistence::{MemoryBackend, PersistenceBackend, PersistenceError, question::StoredField};
/// use serde_json::json;
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), PersistenceError> {
/// # futures_lite::future::block_on(async {
/// let backend = Arc::new(MemoryBackend::new());
/// backend.store("weather.sf", &json!({ "wind": { "gust": 9.5 } }), 1_000).await?;
/// backend.store("weather.sf", &json!({ "wind": { "gust": 4.0 } }), 2_000).await?;
///
/// let archive = Archive::open(backend).await?;
/// let gust = StoredField::parse("wind.gust");
/// let strong = archive.history("weather.*").filter(gust.gt(5.0));
/// assert_eq!(strong.count().await?, 1);
/// let all = archive.history("weather.*").aggregate_stored(&gust).combined().await?;
/// assert_eq!(all.max(), Some(9.5));
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredField {
    names: Arc<[Box<str>]>,
}

impl StoredField {
    /// The field that is reached by these names. A name of digits is an index where an array lies in the way. Without
    /// names, it is the value itself.
    pub fn at<N: Into<Box<str>>>(names: impl IntoIterator<Item = N>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
        }
    }

    /// The field of this path, as [`DeclaredField::path`](crate::backend::DeclaredField::path) has it: names with a dot
    /// between them. The empty text is the value itself. A name that holds a dot needs [`at`](Self::at).
    pub fn parse(path: &str) -> Self {
        match path {
            "" => Self::at::<&str>([]),
            path => Self::at(path.split('.')),
        }
    }

    /// The names, from the outside in.
    pub fn names(&self) -> impl Iterator<Item = &str> + '_ {
        self.names.iter().map(|name| &**name)
    }
}

/// The names with dots between them.
impl Display for StoredField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join("."))
    }
}

/// Where an answer or a condition looks, whichever kind of field it was given.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    OfType(FieldPath),
    Stored(StoredField),
}

impl Place {
    /// Has the place read, of the rows of its variant.
    pub(crate) fn slot_in(&self, projection: &mut Projection) -> usize {
        match self {
            Self::OfType(path) => path.slot_in(projection),
            Self::Stored(_) => self.slot_of_any_variant(projection),
        }
    }

    /// Has the place read, whatever variant the rows are of.
    pub(crate) fn slot_of_any_variant(&self, projection: &mut Projection) -> usize {
        match self {
            Self::OfType(path) => projection.slot(path.names()),
            Self::Stored(field) => projection.slot(field.names()),
        }
    }
}

impl From<FieldPath> for Place {
    fn from(path: FieldPath) -> Self {
        Self::OfType(path)
    }
}

impl From<&StoredField> for Place {
    fn from(field: &StoredField) -> Self {
        Self::Stored(field.clone())
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfType(path) => path.fmt(f),
            Self::Stored(field) => field.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_its_names_with_dots_between_them() {
        let names = |path| {
            let field = StoredField::parse(path);
            assert_eq!(field.to_string(), path);
            field.names().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(names("").is_empty());
        assert_eq!(names("wind.gust"), ["wind", "gust"]);
        assert_eq!(names("items.0"), ["items", "0"]);
    }
}
