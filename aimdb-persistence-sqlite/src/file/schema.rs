//! What is in the file: its tables, its marks, and how a file is told from somebody else's.

use std::path::Path;

use aimdb_persistence::StorageErrorKind;
use rusqlite::{Connection, OptionalExtension};

use crate::error::Failure;

/// Marks the file as this crate's: "AimH" in ASCII.
const APPLICATION_ID: i64 = 0x4169_6d48;

/// The format this program writes, and the newest it knows.
const FORMAT: i64 = 3;

/// The oldest format it knows.
const OLDEST_FORMAT: i64 = 3;

/// Rows lie in `row` in the order in which they are asked for: a series' newest row is one seek
/// away, its range one scan. `sequence` is unique in the file and grows from commit to commit, so
/// that rows of one time stay apart and in order.
///
/// Small commits append to `tail` instead, whose rows are moved to `row` in bulk. `state`, of one
/// row, says which rows of the tail are in `row` already and count no more: those with a sequence up
/// to `settled`, and of those up to `through` the ones up to (series, stored_at, sequence). It also
/// holds what else every query has to know.
///
/// `version` is that of the value's type; NULL where none is declared.
///
/// A value too long to lie among others is NULL in `row` and `tail`, and lies in `large`.
const TABLES: &str = "
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    template TEXT,
    retention_ms INTEGER, -- NULL follows the program's default, -1 is for ever
    keep_last INTEGER NOT NULL DEFAULT 0, -- of the newest rows, however old
    max_rows INTEGER,
    on_duplicate INTEGER NOT NULL DEFAULT 0, -- rows of one time: 0 keeps both, 1 the new one, 2 the old one
    units TEXT -- a JSON object: by a field's name its unit
) STRICT;
CREATE TABLE row (
    series INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    version INTEGER,
    value TEXT,
    PRIMARY KEY (series, stored_at, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE tail (
    sequence INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    version INTEGER,
    value TEXT
) STRICT;
CREATE TABLE large (
    sequence INTEGER PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE state (
    settled INTEGER NOT NULL,
    through INTEGER NOT NULL,
    series INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    last_direct_sequence INTEGER NOT NULL, -- the highest that a commit has put into `row` at once
    series_generation INTEGER NOT NULL -- raised by every change to a series that was there before
) STRICT;
INSERT INTO state VALUES (0, 0, 0, 0, 0, 0, 0);
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// For the `sqlite3` shell, Grafana, and whoever knew the table of this name.
const VIEW: &str = "
CREATE VIEW record_history (id, record_name, value_json, stored_at) AS
    SELECT row.sequence, series.key,
        coalesce(row.value, (SELECT large.value FROM large WHERE large.sequence = row.sequence)), row.stored_at
    FROM series JOIN row ON row.series = series.id
    UNION ALL
    SELECT tail.sequence, series.key,
        coalesce(tail.value, (SELECT large.value FROM large WHERE large.sequence = tail.sequence)), tail.stored_at
    FROM series JOIN tail ON tail.series = series.id
    WHERE tail.sequence > (SELECT settled FROM state)
        AND (tail.sequence > (SELECT through FROM state)
            OR (tail.series, tail.stored_at, tail.sequence) > (SELECT series, stored_at, sequence FROM state));
";

/// `oldest_reader` and `oldest_writer`: the first format whose programs may read this file, and
/// write it.
const MARKS: &str = "
INSERT INTO meta (name, value) VALUES
    ('format', ?1), ('oldest_reader', ?1), ('oldest_writer', ?1), ('next_sequence', 1);
";

/// Whose file it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A database without tables.
    Nothing,
    /// This crate's, with the oldest formats that may read and write it.
    History {
        oldest_reader: i64,
        oldest_writer: i64,
    },
    /// The published crate's table `record_history`.
    Upstream,
    /// Another program's: a sentence that says how it is known.
    Foreign(String),
}

/// Looks at marks and tables as they are at one moment: another process may be creating them.
pub(crate) fn content(connection: &Connection) -> rusqlite::Result<Content> {
    connection.execute_batch("SAVEPOINT look")?;
    let content = content_of_snapshot(connection);
    let released = connection.execute_batch("RELEASE look");
    content.and_then(|content| released.map(|()| content))
}

fn content_of_snapshot(connection: &Connection) -> rusqlite::Result<Content> {
    let application_id: i64 = connection.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")?
        .query_map([], |r| r.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    match application_id {
        APPLICATION_ID => Ok(Content::History {
            oldest_reader: mark(connection, "oldest_reader")?,
            oldest_writer: mark(connection, "oldest_writer")?,
        }),
        0 if tables.is_empty() => Ok(Content::Nothing),
        0 if is_upstream(connection)? => Ok(Content::Upstream),
        0 => Ok(Content::Foreign(format!(
            "it holds the table `{}`",
            tables[0].escape_debug()
        ))),
        other => Ok(Content::Foreign(format!(
            "its application id is {other:#x}"
        ))),
    }
}

fn is_upstream(connection: &Connection) -> rusqlite::Result<bool> {
    let columns: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema, pragma_table_info('record_history') AS info
         WHERE sqlite_schema.type = 'table' AND sqlite_schema.name = 'record_history'
           AND info.name IN ('id', 'record_name', 'value_json', 'stored_at')",
        [],
        |r| r.get(0),
    )?;
    Ok(columns == 4)
}

fn mark(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [name], |r| {
            r.get(0)
        })
        .optional()?
        .ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Creates the tables and marks the file; within the caller's transaction.
pub(crate) fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.execute(MARKS, [FORMAT])?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Creates the view; apart from the tables because a file taken over still has a table of that name.
pub(crate) fn create_view(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(VIEW)
}

/// Refuses a file whose writer was too far ahead or behind, before anything in it is touched.
pub(crate) fn check_format(path: &Path, oldest_format: i64, to: &str) -> Result<(), Failure> {
    if oldest_format < OLDEST_FORMAT {
        return Err(Failure::new(
            StorageErrorKind::CannotOpen,
            path,
            "it was written by a version of aimdb-persistence-sqlite that was never released; choose another path",
        ));
    }
    if oldest_format <= FORMAT {
        return Ok(());
    }
    Err(Failure::new(
        StorageErrorKind::TooNew,
        path,
        format!(
            "it was written by a newer version of aimdb-persistence-sqlite: to {to} it takes file format {oldest_format}, \
             this version knows {FORMAT}; update the crate or choose another path"
        ),
    ))
}
