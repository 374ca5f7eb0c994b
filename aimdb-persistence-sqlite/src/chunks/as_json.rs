//! Packed rows for programs that ask a file in SQL of their own.

use aimdb_persistence_backend::PersistenceError;
use aimdb_persistence_packed::PackedError;

use crate::chunks::rows::PackedRows;

/// The rows of a chunk as a JSON array of `[stored_at, version, value]`, without the first `skip`. `value` is the stored JSON as a
/// text. [`HISTORY_VIEW`](crate::HISTORY_VIEW) calls it by the name `history_rows`, as a scalar function of SQL.
///
/// # Errors
/// [`PersistenceError::Backend`] if the body is damaged.
pub fn history_rows(body: &[u8], skip: u64) -> Result<String, PersistenceError> {
    let damaged =
        |error: PackedError| PersistenceError::Backend(format!("packed rows are damaged: {error}"));
    let rows = PackedRows::of_body(body.to_vec()).map_err(damaged)?;
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    let counted = skip.min(rows.places.len())..rows.places.len();
    let texts = rows.texts(counted.clone()).map_err(damaged)?;
    let rows: Vec<_> = counted
        .map(|row| {
            (
                rows.places[row].stored_at,
                rows.version(row),
                texts.get(row).unwrap_or_default(),
            )
        })
        .collect();
    Ok(serde_json::to_string(&rows)?)
}
