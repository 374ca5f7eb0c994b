//! Rows that can never be stored. Each row is looked through by itself, before a transaction begins.

use aimdb_persistence_backend::{PersistenceError, Row, Rows, json, validate_key};

/// A message to the server holds a gigabyte at most. A long text fills one by itself, with the columns beside it.
const LONGEST_TEXT_BYTES: usize = 512 << 20;

/// The rows that are refused, by index, each with its reason.
pub(crate) fn refusals(rows: &Rows) -> Vec<(usize, PersistenceError)> {
    let bad_keys: Vec<_> = rows
        .names()
        .iter()
        .map(|name| validate_key(name).err())
        .collect();
    rows.iter()
        .enumerate()
        .filter_map(|(index, row)| {
            let refused = match &bad_keys[rows.name_index(index)] {
                Some(error) => Some(error.clone().into()),
                None => refusal(&row),
            };
            refused.map(|error| (index, error))
        })
        .collect()
}

fn refusal(row: &Row<'_>) -> Option<PersistenceError> {
    let unstorable = |reason: String| {
        Some(PersistenceError::Unstorable {
            record_name: row.record_name.to_owned(),
            reason,
        })
    };
    if i64::try_from(row.stored_at).is_err() {
        return unstorable(format!(
            "its time, {} ms, lies beyond the largest that PostgreSQL can hold, {}",
            row.stored_at,
            i64::MAX
        ));
    }
    let bytes = row.json.len() + row.record_name.len();
    if bytes > LONGEST_TEXT_BYTES {
        return unstorable(format!(
            "its {bytes} bytes exceed the limit of {LONGEST_TEXT_BYTES}"
        ));
    }
    json::check(row.json).err().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_refused_one_by_one_with_their_reason() {
        let mut rows = Rows::new();
        rows.push("a", 1, "1");
        rows.push("a", u64::MAX, "1");
        rows.push("a..b", 1, "1");
        rows.push("a", 1, "{");
        rows.push("b", i64::MAX.cast_unsigned(), "null");
        let refused = refusals(&rows);
        let reasons: Vec<_> = refused.iter().map(|(i, e)| (*i, e.to_string())).collect();
        assert!(
            matches!(
                &refused[..],
                [
                    (1, PersistenceError::Unstorable { .. }),
                    (2, PersistenceError::InvalidKey(_)),
                    (3, PersistenceError::Serialization(_)),
                ]
            ),
            "{reasons:?}"
        );
    }
}
