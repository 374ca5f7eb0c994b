//! Answers about fields that are known by their stored names alone.

use aimdb_persistence_backend::PersistenceError;

use crate::declaration::stored_field::{Place, StoredField};
use crate::query::answers::aggregate::Aggregate;
use crate::query::answers::rows::Persisted;
use crate::query::answers::states::TimeInState;
use crate::query::history::History;

impl<T: Send + 'static> History<T> {
    /// [`aggregate`](Self::aggregate) of a field that is known by its stored names: the rows in which it holds a number.
    pub fn aggregate_stored(self, field: &StoredField) -> Aggregate<T> {
        self.aggregate_at(Place::from(field))
    }

    /// [`downsample`](Self::downsample) of a field that is known by its stored names.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn downsample_stored(
        self,
        field: &StoredField,
        points: usize,
    ) -> Result<Vec<Persisted<f64>>, PersistenceError> {
        self.downsample_at(Place::from(field), points).await
    }

    /// [`time_in_states`](Self::time_in_states) of a field that is known by its stored names.
    ///
    /// # Errors
    /// As [`time_in_states`](Self::time_in_states).
    pub async fn time_in_stored_states(
        self,
        field: &StoredField,
    ) -> Result<Vec<TimeInState>, PersistenceError> {
        self.time_in_states_at(Place::from(field)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aimdb_persistence_backend::{MemoryBackend, PersistenceBackend};
    use serde_json::json;

    use super::*;
    use crate::archive::Archive;
    use crate::query::ask::Ask;

    async fn door() -> Result<Archive, PersistenceError> {
        let backend = Arc::new(MemoryBackend::new());
        let values = [
            json!({ "of": { "state": "open" }, "n": 1 }),
            json!({ "of": { "state": "shut" }, "n": 7 }),
            json!({ "of": { "state": 3 }, "n": "seven" }),
            json!([1, 2]),
        ];
        for (at, value) in (1_000..).step_by(1_000).zip(&values) {
            backend.store("door.front", value, at).await?;
        }
        Archive::open(backend).await
    }

    #[test]
    fn a_field_known_by_its_names_answers_as_one_of_a_type_does() -> Result<(), PersistenceError> {
        futures_lite::future::block_on(async {
            let door = door().await?;
            let (state, n) = (StoredField::parse("of.state"), StoredField::parse("n"));
            let history = || door.history("door.*");

            let numbers = history().aggregate_stored(&n).combined().await?;
            assert_eq!((numbers.count(), numbers.without_value()), (2, 2));
            assert_eq!(numbers.max(), Some(7.0));
            let points = history().downsample_stored(&n, 10).await?;
            assert_eq!(points.len(), 2);
            let states = history().time_in_stored_states(&state).await?;
            let open = states.iter().find(|state| state.state == json!("open"));
            assert_eq!(open.map(|open| open.total_ms), Some(1_000));

            for (filter, rows) in [
                (state.eq("open"), 1),
                (state.ne("open"), 3),
                (state.is_in(["open", "shut"]), 2),
                (state.starts_with("sh") | state.ends_with("en"), 2),
                (state.contains("hu"), 1),
                (n.gt(1), 1),
                (n.ge(1.0) & n.lt(7), 1),
                (n.le(7), 2),
                (!n.is_there(), 1),
                (StoredField::parse("1").eq(2), 1),
            ] {
                let asked = format!("{filter:?}");
                assert_eq!(history().filter(filter).count().await?, rows, "{asked}");
            }
            Ok(())
        })
    }
}
