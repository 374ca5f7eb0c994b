//! What is told of packed rows.

use aimdb_persistence_backend::Pattern;
use rusqlite::Connection;

use crate::layout::chunk_sql;

/// How much of a series is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackedSeries {
    /// The record's key.
    pub record_name: String,
    /// Rows in chunks.
    pub rows: u64,
    /// The chunks that hold them.
    pub chunks: u64,
    /// What the chunks take, in bytes, without what is left of their pages.
    pub bytes: u64,
}

/// Of the series that have chunks and that the pattern selects, by name.
pub(crate) fn packed(
    connection: &Connection,
    pattern: &Pattern,
) -> rusqlite::Result<Vec<PackedSeries>> {
    let mut packed = connection.prepare_cached(chunk_sql::PACKED_SERIES)?;
    let number = |row: &rusqlite::Row<'_>, index| -> rusqlite::Result<u64> {
        let number: i64 = row.get(index)?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    let packed = packed.query_map([], |row| {
        Ok(PackedSeries {
            record_name: row.get(0)?,
            rows: number(row, 1)?,
            chunks: number(row, 2)?,
            bytes: number(row, 3)?,
        })
    })?;
    let selected = packed.filter(|series| {
        let of = series.as_ref();
        of.map_or(true, |series| pattern.matches(&series.record_name))
    });
    selected.collect()
}
