//! A condition outside a question.

use aimdb_persistence_backend::PersistenceError;
use aimdb_persistence_backend::json::Projection;

use crate::query::filter::RowFilter;
use crate::query::filter::condition::Condition;

/// A [`Filter`](crate::question::Filter) that is held against stored JSON by itself, for programs that read rows through
/// the contract of a backend.
///
/// Rows are looked at as they are stored: those of older versions are not lifted.
///
/// ```
/// use aimdb_persistence::question::{RowTest, StoredField};
///
/// let warm = RowTest::new::<()>(StoredField::parse("celsius").gt(20))?;
/// assert!(warm.holds(r#"{"celsius":20.5}"#));
/// assert!(!warm.holds(r#"{"celsius":null}"#));
/// # Ok::<(), aimdb_persistence::PersistenceError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RowTest {
    condition: Condition,
    projection: Projection,
}

impl RowTest {
    /// Of a condition.
    ///
    /// # Errors
    /// [`PersistenceError::InvalidQuery`] where it compares with what cannot be compared with.
    pub fn new<T>(filter: impl RowFilter<T>) -> Result<Self, PersistenceError> {
        let mut condition = filter.into_filter().into_condition();
        let mut projection = Projection::default();
        let bound = condition.bind(&mut projection);
        bound.map_err(|reason| PersistenceError::InvalidQuery { reason })?;
        Ok(Self {
            condition,
            projection,
        })
    }

    /// Whether the condition holds for a stored value.
    pub fn holds(&self, json: &str) -> bool {
        let mut scalars = Vec::new();
        self.projection.read(json, &mut scalars);
        self.condition.holds(&scalars)
    }
}
