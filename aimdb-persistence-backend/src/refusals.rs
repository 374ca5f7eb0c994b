//! Rows that can never be stored. Each row is looked through by itself, before a transaction begins.

use crate::contract::error::PersistenceError;
use crate::contract::key::validate_key;
use crate::contract::rows::{Row, Rows};
use crate::json;

/// The rows that no storage can take whose times are `i64` and whose texts have a limit: by index, each with its reason.
///
/// `storage` is its name in the reasons, and `longest_bytes` what a key and its value may have together.
pub fn refusals(
    rows: &Rows,
    storage: &str,
    longest_bytes: usize,
) -> Vec<(usize, PersistenceError)> {
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
                None => refusal(&row, storage, longest_bytes),
            };
            refused.map(|error| (index, error))
        })
        .collect()
}

fn refusal(row: &Row<'_>, storage: &str, longest_bytes: usize) -> Option<PersistenceError> {
    let unstorable = |reason: String| {
        Some(PersistenceError::Unstorable {
            record_name: row.record_name.to_owned(),
            reason,
        })
    };
    if i64::try_from(row.stored_at).is_err() {
        return unstorable(format!(
            "its time, {} ms, lies beyond the largest that {storage} can hold, {}",
            row.stored_at,
            i64::MAX
        ));
    }
    let bytes = row.json.len() + row.record_name.len();
    if bytes > longest_bytes {
        return unstorable(format!(
            "its {bytes} bytes exceed {storage}'s limit of {longest_bytes}"
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
        let refused = refusals(&rows, "SQLite", 1_000);
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
