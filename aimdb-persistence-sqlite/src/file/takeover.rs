//! Taking over a file that the published `aimdb-persistence-sqlite` wrote: in one transaction, and for good.

use std::path::Path;

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{During, Failure};
use crate::file::format;
use crate::layout::large::LARGE_BYTES;
use crate::layout::schema;
use crate::layout::sql;

const COPY_SERIES: &str = "INSERT INTO series (key, name_checksum, checksum) \
     SELECT DISTINCT CAST(record_name AS TEXT), 0, 0 FROM record_history ORDER BY 1";

/// Rows keep their id as sequence, so that rows of one time stay in order. The published crate stores a time above
/// `i64::MAX` as a negative number, and treats it as older than everything: it becomes 0. Names and values are taken as
/// they are, odd keys and damaged JSON included.
const COPY_ROWS: &str = "INSERT INTO row (series, stored_at, sequence, seal, value) \
     SELECT series.id, max(CAST(old.stored_at AS INTEGER), 0), old.id, \
         row_seal(series.id, max(CAST(old.stored_at AS INTEGER), 0), old.id, CAST(old.value_json AS TEXT)), \
         iif(octet_length(CAST(old.value_json AS TEXT)) <= ?1, CAST(old.value_json AS TEXT), NULL) \
     FROM record_history AS old JOIN series ON series.key = CAST(old.record_name AS TEXT) \
     ORDER BY 1, 2, 3";

const COPY_LARGE: &str = "INSERT INTO large (sequence, value) \
     SELECT id, CAST(value_json AS TEXT) FROM record_history \
     WHERE octet_length(CAST(value_json AS TEXT)) > ?1 ORDER BY 1";

const COPY_NEXT_SEQUENCE: &str = "UPDATE meta \
     SET value = (SELECT max(coalesce(max(id), 0), 0) + 1 FROM record_history) WHERE name = 'next_sequence'";

const LAST_SEQUENCE: &str = "SELECT max(coalesce(max(id), 0), 0) FROM record_history";

/// A row without a value: the published schema has none.
const LOST_VALUES: &str =
    "SELECT (SELECT count(*) FROM row WHERE value IS NULL) - (SELECT count(*) FROM large)";

/// What would be lost with the old table, or be changed by dropping it: a sentence each, as its query tells.
const LOSSES: [&str; 3] = [
    "SELECT 'its table has the further column `' || name || '`; copy what it holds elsewhere and drop the column' \
     FROM pragma_table_xinfo('record_history') WHERE name NOT IN ('id', 'record_name', 'value_json', 'stored_at')",
    "SELECT 'the trigger `' || name || '` hangs on its table; drop the trigger' \
     FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = 'record_history'",
    // Dropping a table deletes its rows first, and with them what refers to them.
    "SELECT 'the table `' || tables.name || '` refers to its rows; drop that table, or its foreign key' \
     FROM sqlite_schema AS tables, pragma_foreign_key_list(tables.name) AS keys \
     WHERE tables.type = 'table' AND tables.sql NOT LIKE 'CREATE VIRTUAL%' AND lower(keys.\"table\") = 'record_history'",
];

/// Moves every row into this crate's tables and replaces the old table by the view. Within the caller's transaction: an
/// error leaves the file as it was.
pub(crate) fn take_over(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let doing = "taking over its rows";
    refuse_losses(connection, path)?;
    format::create_tables(connection).during(path, doing)?;
    copy(connection).during(path, doing)?;
    let (old, new) = counts(connection).during(path, doing)?;
    if old != new {
        return Err(Failure::new(
            StorageErrorKind::Other,
            path,
            format!("of its {old} rows {new} could be taken over; nothing was changed"),
        ));
    }
    connection
        .execute_batch("DROP TABLE record_history")
        .and_then(|()| schema::create_view(connection))
        .during(path, doing)
}

fn refuse_losses(connection: &Connection, path: &Path) -> Result<(), Failure> {
    for sql in LOSSES {
        let found = connection.query_row(sql, [], |r| r.get::<_, String>(0));
        if let Some(loss) = found.optional().during(path, "reading it")? {
            let what = format!(
                "it cannot be taken over as it is, and nothing was changed: {}",
                loss.escape_debug()
            );
            return Err(Failure::new(StorageErrorKind::CannotOpen, path, what));
        }
    }
    Ok(())
}

/// Rows in the old table, and rows with a value in the new ones.
fn counts(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let counts = "SELECT (SELECT count(*) FROM record_history), (SELECT count(*) FROM row)";
    let (old, new) = connection.query_row(counts, [], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?)))?;
    let valueless: i64 = connection.query_row(LOST_VALUES, [], |r| r.get(0))?;
    Ok((old, new - valueless))
}

fn copy(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(COPY_SERIES, [])?;
    connection.execute(sql::SEAL_SERIES, [])?;
    connection.execute(COPY_ROWS, [LARGE_BYTES as i64])?;
    connection.execute(COPY_LARGE, [LARGE_BYTES as i64])?;
    connection.execute(COPY_NEXT_SEQUENCE, [])?;
    let last: i64 = connection.query_row(LAST_SEQUENCE, [], |r| r.get(0))?;
    connection.execute(sql::SET_LAST_DIRECT_SEQUENCE, [last])?;
    connection.execute(sql::NOTE_ALL_LAST_STORED, []).map(drop)
}
