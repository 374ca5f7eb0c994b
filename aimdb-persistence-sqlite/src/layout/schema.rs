//! The tables of a history, and the view on them.

use rusqlite::Connection;

/// Rows lie in `row` in the order in which they are asked for: a series' newest row is one seek away, its range one
/// scan. `sequence` is unique in the file and grows from commit to commit. It keeps rows of one time apart and in order.
///
/// Small commits append to `tail` instead, whose rows are moved to `row` in bulk. `state` has one row. It says which
/// rows of the tail are in `row` already and count no more: those with a sequence up to `settled`, and of those up to
/// `through` the ones up to (series, stored_at, sequence). It also holds what else every query has to know.
///
/// `last_stored` names the row with the highest sequence that each series has ever had in `row`. It may have been removed
/// since. Of rows in the tail, their sequences are at hand. `rows` is how many the series has in `row`: rows that damage hides
/// are missed.
///
/// `seal` holds the version of the value's type and a checksum of the row (`layout/seal`). `series` and `state` have
/// checksums as well. The index `series_names` is a second copy of each name, for the day on which the table's page dies.
///
/// Old rows are moved from `row` into a `chunk` of columns, if the program packs. `chunk_place` says which rows of which
/// series a chunk holds. Chunks of one series never overlap; rows that came late lie in `row` beside them.
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
    pack_ms INTEGER, -- rows that are older are packed; NULL follows the program's default, -1 is never
    type TEXT, -- a JSON object: the type's `name`, `version` and `fields`; NULL until the series is declared
    name_checksum INTEGER NOT NULL, -- of id and key
    checksum INTEGER NOT NULL -- of id and the other columns
) STRICT;
CREATE INDEX series_names ON series (name_checksum, key);
CREATE TABLE last_stored (
    series INTEGER PRIMARY KEY,
    stored_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    rows INTEGER NOT NULL
) STRICT;
CREATE TABLE row (
    series INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    seal INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (series, stored_at, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE tail (
    sequence INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    seal INTEGER NOT NULL,
    value TEXT
) STRICT;
CREATE TABLE large (
    sequence INTEGER PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    seal INTEGER NOT NULL, -- of id, series and the body's own checksum
    statistics BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE chunk_place (
    series INTEGER NOT NULL,
    first_ms INTEGER NOT NULL, -- of the first row that counts
    first_sequence INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    skip INTEGER NOT NULL, -- so many of the first rows have been removed
    newest_sequence INTEGER NOT NULL, -- the highest of all rows
    chunk INTEGER NOT NULL,
    checksum INTEGER NOT NULL, -- of all other columns
    PRIMARY KEY (series, first_ms, first_sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (
    settled INTEGER NOT NULL,
    through INTEGER NOT NULL,
    series INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    last_direct_sequence INTEGER NOT NULL, -- the highest that a commit has put into `row` at once
    series_generation INTEGER NOT NULL, -- random, and another one after every change to a series that was there before
    checksum INTEGER NOT NULL -- of all other columns
) STRICT;
INSERT INTO state SELECT 0, 0, 0, 0, 0, 0, n, checksum(0, 0, 0, 0, 0, 0, n) FROM (SELECT random() AS n LIMIT 1);
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// For the `sqlite3` shell, for Grafana, and for programs that know upstream's table of this name.
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

/// Makes the temporary view `history (record_name, stored_at, version, value)` of all rows, for programs that ask a file in SQL
/// of their own. It is not in the file: what it says of the tables holds for this version of the format.
///
/// The connection must have a scalar function of two arguments, `history_rows`, that answers as [`history_rows`](crate::history_rows).
///
/// `stored_at` is in Unix milliseconds, `version` that of the row's type, 0 where none is declared, and `value` is JSON.
pub const HISTORY_VIEW: &str = "
CREATE TEMP VIEW history (record_name, stored_at, version, value) AS
    SELECT series.key, row.stored_at, ((row.seal + 2147483648) >> 32) & 4294967295,
        coalesce(row.value, (SELECT large.value FROM main.large WHERE large.sequence = row.sequence))
    FROM main.series JOIN main.row ON row.series = series.id
    UNION ALL
    SELECT series.key, tail.stored_at, ((tail.seal + 2147483648) >> 32) & 4294967295,
        coalesce(tail.value, (SELECT large.value FROM main.large WHERE large.sequence = tail.sequence))
    FROM main.series JOIN main.tail ON tail.series = series.id
    WHERE tail.sequence > (SELECT settled FROM main.state)
        AND (tail.sequence > (SELECT through FROM main.state)
            OR (tail.series, tail.stored_at, tail.sequence)
                > (SELECT series, stored_at, sequence FROM main.state))
    UNION ALL
    SELECT series.key, packed.value ->> 0, packed.value ->> 1, packed.value ->> 2
    FROM main.series JOIN main.chunk_place ON chunk_place.series = series.id
        JOIN main.chunk ON chunk.id = chunk_place.chunk
        JOIN json_each(history_rows(chunk.body, chunk_place.skip)) AS packed;
";

pub(crate) fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)
}

/// Apart from the tables, because a file that is taken over still has a table of this name.
pub(crate) fn create_view(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(VIEW)
}
