//! Whose file it is, and in which format.

use std::path::Path;

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::{Connection, OptionalExtension};

use crate::chunks::change::FORMAT as PACKED_FORMAT;
use crate::error::Failure;
use crate::layout::schema;

/// Marks the file as this crate's: "AimH" in ASCII.
const APPLICATION_ID: i64 = 0x4169_6d48;

/// The newest format this program knows: 7 with packed rows. A file is marked with it when the first rows are packed.
const FORMAT: i64 = PACKED_FORMAT;

/// The oldest format it knows, and the one of a file without packed rows.
const OLDEST_FORMAT: i64 = 7;

/// `oldest_reader` and `oldest_writer`: the first format whose programs may read this file, and
/// write it.
const MARKS: &str = "
INSERT INTO meta (name, value) VALUES
    ('format', ?1), ('oldest_reader', ?2), ('oldest_writer', ?2), ('next_sequence', 1), ('settled', 0);
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
    /// This crate's, but for what another program has made of its tables: a sentence that says what.
    Altered(String),
}

/// Whether the first page of a file has the mark of this crate.
pub(crate) fn is_marked(first_page: &[u8]) -> bool {
    let mark = i32::try_from(APPLICATION_ID).map(i32::to_be_bytes);
    mark.is_ok_and(|mark| first_page.get(68..72) == Some(&mark[..]))
}

/// Reads marks and tables as they are at one moment: another process may be creating them.
pub(crate) fn content(connection: &Connection) -> rusqlite::Result<Content> {
    connection.execute_batch("SAVEPOINT identify")?;
    let content = content_of_snapshot(connection);
    let released = connection.execute_batch("RELEASE identify");
    content.and_then(|content| released.map(|()| content))
}

fn content_of_snapshot(connection: &Connection) -> rusqlite::Result<Content> {
    let application_id: i64 = connection.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")?
        .query_map([], |r| r.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    match application_id {
        APPLICATION_ID => match alteration(connection)? {
            Some(sign) => Ok(Content::Altered(sign)),
            None => Ok(Content::History {
                oldest_reader: mark(connection, "oldest_reader")?,
                oldest_writer: mark(connection, "oldest_writer")?,
            }),
        },
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

/// A trigger may keep rows from being stored, and a view in place of a table may never end.
fn alteration(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found = "SELECT type, name, tbl_name FROM sqlite_schema \
         WHERE lower(tbl_name) IN ('series', 'row', 'tail', 'large', 'state', 'meta', 'chunk', 'chunk_place') \
         AND (type IN ('trigger', 'view') OR sql LIKE 'CREATE VIRTUAL%') LIMIT 1";
    let found = connection.query_row(found, [], |r| {
        let (kind, name, table): (String, String, String) = (r.get(0)?, r.get(1)?, r.get(2)?);
        Ok(match kind.as_str() {
            "trigger" => format!(
                "the trigger `{}` on its table `{}`; drop the trigger",
                name.escape_debug(),
                table.escape_debug()
            ),
            _ => format!(
                "the {kind} `{}` in place of its table of this name",
                name.escape_debug()
            ),
        })
    });
    found.optional()
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

/// Creates the tables and marks the file, within the caller's transaction.
pub(crate) fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    schema::create_tables(connection)?;
    connection.execute(MARKS, [FORMAT, OLDEST_FORMAT])?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Refuses a file that a much newer or older version wrote, before anything in it is touched.
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
