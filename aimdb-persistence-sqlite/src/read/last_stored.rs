//! Reading the row of a series that was stored last.

use aimdb_persistence_backend::{ReadRequest, Rows};
use rusqlite::Connection;

use crate::layout::last_stored;
use crate::layout::state::Moment;
use crate::read::walk::RowIndex;

/// The row, or none, of the one series that the request names.
pub(crate) fn read(
    connection: &Connection,
    index: &mut RowIndex,
    request: &ReadRequest,
) -> rusqlite::Result<Rows> {
    let mut statement = Moment::statement(connection)?;
    let (_moment, state) = Moment::begin(&mut statement)?;
    index.follow_tail(connection, &state)?;
    let mut rows = Rows::new();
    let series: Vec<_> = index
        .catalog
        .select(connection, &state, request, "")?
        .filter_map(|(record_name, id)| Some((record_name.to_owned(), id?)))
        .collect();
    for (record_name, id) in series {
        if let Some(last) = last_stored::read(connection, &index.tail, id)? {
            rows.push_versioned(
                &record_name,
                last.stored_at.cast_unsigned(),
                &last.json,
                last.version,
            );
        }
    }
    Ok(rows)
}
