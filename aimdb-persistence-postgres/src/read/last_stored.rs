//! Reading the row of a series that was stored last.

use aimdb_persistence_backend::Rows;
use tokio_postgres::Row;

use crate::connect::session::{Params, Session};
use crate::error::Failure;
use crate::read::catalog::{Selected, Visible};

/// The newest row by its time, and the row that was noted when it was not the newest one and was stored last. The sequence
/// tells which of them that is. A row that was noted may have been removed since: then its value is NULL.
const CANDIDATES: &str = "SELECT n.stored_at, n.sequence, n.version, n.value, l.sequence, h.stored_at, h.version, h.value \
     FROM (SELECT stored_at, sequence, version, value FROM $rows r WHERE source = $1 AND series = $2 \
             AND (stored_at >= $3 OR sequence >= $4) \
         ORDER BY stored_at DESC, sequence DESC LIMIT 1) n \
     LEFT JOIN last_stored l ON l.source = $1 AND l.series = $2 AND l.sequence > n.sequence \
     LEFT JOIN $rows h ON h.source = $1 AND h.series = $2 AND h.stored_at = l.stored_at AND h.sequence = l.sequence \
         AND (h.stored_at >= $3 OR h.sequence >= $4)";

/// Looks through all rows of the series.
const OF_ALL: &str = "SELECT stored_at, version, value FROM $rows r WHERE source = $1 AND series = $2 \
     AND (stored_at >= $3 OR sequence >= $4) ORDER BY sequence DESC LIMIT 1";

const DOING: &str = "looking for the row stored last";

/// The row, or none.
pub(crate) async fn read(session: &mut Session, series: &Selected) -> Result<Rows, Failure> {
    let mut rows = Rows::new();
    let Visible {
        from_ms, sequence, ..
    } = series.visible;
    let of_series: Params<'_> = &[&series.source, &series.id, &from_ms, &sequence];
    let tables = series.tables.sql();
    let found = session
        .query(&CANDIDATES.replace("$rows", &tables), of_series, DOING)
        .await?;
    let Some(row) = found.first() else {
        return Ok(rows);
    };
    let noted: Option<i64> = row.get(4);
    let is_there = row.get::<_, Option<i64>>(5).is_some();
    match (noted, is_there) {
        (None, _) => push(&mut rows, series, row, [0, 2, 3]),
        (Some(_), true) => push(&mut rows, series, row, [5, 6, 7]),
        // It has been removed since, as few are that were stored last.
        (Some(_), false) => {
            let last = session
                .query(&OF_ALL.replace("$rows", &tables), of_series, DOING)
                .await?;
            if let Some(row) = last.first() {
                push(&mut rows, series, row, [0, 1, 2]);
            }
        }
    }
    Ok(rows)
}

/// The columns are time, version and value.
fn push(rows: &mut Rows, series: &Selected, row: &Row, [stored_at, version, value]: [usize; 3]) {
    let version: Option<i32> = row.get(version);
    rows.push_versioned(
        &series.record_name,
        row.get::<_, i64>(stored_at).cast_unsigned(),
        row.get(value),
        version.unwrap_or(0).cast_unsigned(),
    );
}
