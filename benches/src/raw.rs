//! What somebody would write by hand with `rusqlite`: a write-ahead log, synced at each commit, one prepared statement.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How the table is organised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Rows in the order of (series, time, sequence).
    Clustered,
    /// Rows in order of arrival, and an index over series and time.
    Rowid,
}

impl Layout {
    fn tables(self) -> &'static str {
        match self {
            Self::Clustered => {
                "CREATE TABLE row (
                    series INTEGER NOT NULL, stored_at INTEGER NOT NULL, sequence INTEGER NOT NULL, value TEXT NOT NULL,
                    PRIMARY KEY (series, stored_at, sequence)
                ) STRICT, WITHOUT ROWID"
            }
            Self::Rowid => {
                "CREATE TABLE row (
                    sequence INTEGER PRIMARY KEY, series INTEGER NOT NULL, stored_at INTEGER NOT NULL, value TEXT NOT NULL
                ) STRICT;
                CREATE INDEX row_by_time ON row (series, stored_at)"
            }
        }
    }
}

const INSERT: &str = "INSERT INTO row (series, stored_at, sequence, value) VALUES (?1, ?2, ?3, ?4)";
const LATEST: &str = "SELECT value FROM row WHERE series = ?1 ORDER BY stored_at DESC LIMIT ?2";

/// One connection to one file.
pub(crate) struct Raw {
    connection: Connection,
    next_sequence: i64,
    json: Vec<u8>,
}

impl Raw {
    pub(crate) fn create(path: &Path, layout: Layout) -> rusqlite::Result<Self> {
        let raw = Self::open(path)?;
        raw.connection.execute_batch(layout.tables())?;
        Ok(raw)
    }

    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(600))?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
        // Otherwise it plans a cached statement anew whenever another value is bound, at five times the price.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self {
            connection,
            next_sequence: 1,
            json: Vec::new(),
        })
    }

    /// Stores rows `n` of the range, as `row` makes them: series, time and value. Serialises each on the way.
    pub(crate) fn store<T: Serialize>(
        &mut self,
        rows: Range<u64>,
        rows_per_commit: u64,
        row: impl Fn(u64) -> (u64, u64, T),
    ) -> rusqlite::Result<()> {
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + rows_per_commit);
            self.commit(start..end, &row)?;
            start = end;
        }
        Ok(())
    }

    fn commit<T: Serialize>(
        &mut self,
        rows: Range<u64>,
        row: impl Fn(u64) -> (u64, u64, T),
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let mut insert = transaction.prepare_cached(INSERT)?;
        for n in rows {
            let (series, stored_at, value) = row(n);
            self.json.clear();
            serde_json::to_writer(&mut self.json, &value).expect("the value has a JSON form");
            let json = std::str::from_utf8(&self.json).expect("JSON is UTF-8");
            insert.execute(params![
                series as i64,
                stored_at as i64,
                self.next_sequence,
                json
            ])?;
            self.next_sequence += 1;
        }
        drop(insert);
        transaction.commit()
    }

    /// The newest values of a series.
    pub(crate) fn latest<T: DeserializeOwned>(
        &self,
        series: u64,
        limit: u64,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(LATEST)?;
        let mut rows = statement.query([series as i64, limit as i64])?;
        let mut values = Vec::new();
        while let Some(row) = rows.next()? {
            values.push(decoded(row.get_ref(0)?.as_bytes()?));
        }
        Ok(values)
    }

    /// Reads every row in order of series and time, and hands its series, time and JSON text to `take`.
    pub(crate) fn scan(&self, mut take: impl FnMut(u64, u64, &[u8])) -> rusqlite::Result<()> {
        let sql = "SELECT series, stored_at, value FROM row ORDER BY series, stored_at";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (series, stored_at): (i64, i64) = (row.get(0)?, row.get(1)?);
            take(series as u64, stored_at as u64, row.get_ref(2)?.as_bytes()?);
        }
        Ok(())
    }

    /// Deletes every row before a time in one statement, and says how many.
    pub(crate) fn delete_before(&self, stored_at: u64) -> rusqlite::Result<usize> {
        let sql = "DELETE FROM row WHERE stored_at < ?1";
        self.connection.execute(sql, [stored_at as i64])
    }

    /// Closes the file; SQLite moves the log into it.
    pub(crate) fn close(self) -> rusqlite::Result<()> {
        self.connection.flush_prepared_statement_cache();
        self.connection.close().map_err(|(_, error)| error)
    }
}

/// A value from its JSON text.
pub(crate) fn decoded<T: DeserializeOwned>(json: &[u8]) -> T {
    serde_json::from_slice(json).expect("the text is what was stored")
}
