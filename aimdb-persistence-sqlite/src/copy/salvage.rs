//! Saving the readable rows of a damaged file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aimdb_persistence_backend::{PersistenceError, StorageErrorKind};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, Row, params_from_iter};
use serde::de::IgnoredAny;

use crate::copy::around_damage::{Direction, Reached, read_around_damage};
use crate::error::{During, Failure};
use crate::file::open;
use crate::file::open_here::ReadRaw;
use crate::file::paths::{self, log_of};
use crate::layout::sql;
use crate::options::SqliteBackendBuilder;
use crate::report;

/// A backend that was dropped closes its file a little later, and so does a reader of a file that was set aside.
const PATIENCE: Duration = Duration::from_secs(2);

/// What [`salvage`] has saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvageReport {
    /// Rows in the new file.
    pub rows: u64,
    /// Series in the new file.
    pub series: u64,
    /// Stretches of the damaged file that could not be read. How many rows were in them is unknown.
    pub unreadable_stretches: u64,
    /// Rows of which all but the value could be read. They are not in the new file.
    pub rows_without_value: u64,
}

/// Saves what can be read of the damaged history at `damaged` into a new one at `to`, with what is declared of its series.
/// The damaged file and its log are left as they are.
///
/// A row is saved if its own page is sound, and so are the pages that lead to it. Between damaged pages, rows are searched
/// for by halving the time between them; rows of less than a four-thousandth of that time may be missed. The damaged
/// file is copied first, and the copy is read: this takes as much room beside `to` as the damaged file has, in a folder
/// `<to>.working-1` that is removed at the end. The call blocks until it is done.
///
/// Nobody may record into the damaged file meanwhile. If this program has it open, the call waits a few seconds for it to
/// be closed, and then fails: reading the file would take away the locks that protect it.
///
/// ```
/// # use aimdb_persistence_sqlite::{SqliteBackend, salvage};
/// # use aimdb_persistence_backend::PersistenceBackend;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # let damaged = folder.join("history.db.corrupt-20261125T120000Z");
/// # runtime.block_on(async {
/// #     let backend = SqliteBackend::new(&damaged)?;
/// #     backend.store("temperature.sf", &serde_json::json!(13.2), 1_000).await?;
/// #     backend.close().await
/// # })?;
/// let saved = salvage(&damaged, folder.join("saved.db"))?;
/// println!("{} rows of {} series", saved.rows, saved.series);
/// # assert_eq!(saved.rows, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`PersistenceError::Storage`] if there is a file or a link at `to`, or a log beside it, if this program has the damaged
/// file open ([`StorageErrorKind::Busy`]), if either cannot be opened, or if not even the beginning of
/// the damaged one can be read. Then no file is left at `to`.
pub fn salvage(
    damaged: impl AsRef<Path>,
    to: impl AsRef<Path>,
) -> Result<SalvageReport, PersistenceError> {
    let (damaged, to) = (
        paths::locate(damaged.as_ref())?,
        paths::locate_new(to.as_ref())?,
    );
    let working = Working::beside(&to)?;
    working.copy(&damaged)?;
    Ok(working.save(&damaged, &to)?)
}

/// A folder of its own for the copy of the damaged file, whose reading may change it, and for the new file until it is
/// complete. No name in it can be an existing file's.
struct Working {
    folder: PathBuf,
}

impl Working {
    fn beside(to: &Path) -> Result<Self, Failure> {
        let folder = paths::create_folder_beside(to).during(to, "making a folder to work in")?;
        Ok(Self { folder })
    }

    fn damaged(&self) -> PathBuf {
        self.folder.join("damaged.db")
    }

    /// Copies the damaged file and its log.
    fn copy(&self, damaged: &Path) -> Result<(), Failure> {
        let doing = "copying it";
        if !fs::metadata(damaged).during(damaged, doing)?.is_file() {
            let what = "this is not a file that could be salvaged";
            return Err(Failure::new(StorageErrorKind::CannotOpen, damaged, what));
        }
        let _lease = ReadRaw::lease(damaged, PATIENCE)?;
        copy_file(damaged, &self.damaged()).during(damaged, doing)?;
        match copy_file(&log_of(damaged), &log_of(&self.damaged())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            copied => copied.during(&log_of(damaged), doing),
        }
    }

    fn save(&self, damaged: &Path, to: &Path) -> Result<SalvageReport, Failure> {
        let doing = "reading its beginning";
        let source = Connection::open(self.damaged()).during(damaged, doing)?;
        // Without its first page nothing can be found.
        let columns = "SELECT count(*) FROM pragma_table_info('row')";
        let columns: i64 = source
            .query_row(columns, [], |r| r.get(0))
            .during(damaged, doing)?;
        if columns == 0 {
            let what = "it is no history: there is no table of rows in it";
            return Err(Failure::new(StorageErrorKind::CannotOpen, damaged, what));
        }
        let saved = self.folder.join("saved.db");
        let target = open::writer(&saved, &SqliteBackendBuilder::new(saved.clone()))?;
        let report = save_rows(&source, &target).during(to, "saving rows")?;
        // Folds the log in, and syncs the file.
        target.close().during(to, "saving rows")?;
        paths::name_complete(&saved, to)?;
        Ok(report)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            report::warn(&format!(
                "{}: could not be removed ({error}); it holds a copy of a damaged history, and nothing needs it",
                self.folder.display()
            ));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "its caller has leased the file")]
/// To a new file that may be written, whatever the permissions of the old one are.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    io::copy(&mut from, &mut paths::create_new(to, 0o600)?).map(drop)
}

fn save_rows(source: &Connection, target: &Connection) -> rusqlite::Result<SalvageReport> {
    let transaction = target.unchecked_transaction()?;
    let saving = Saving {
        source,
        target: &transaction,
        report: SalvageReport::default(),
        without_value: BTreeSet::new(),
    };
    let report = saving.save()?;
    transaction.commit()?;
    Ok(report)
}

/// Each reads the rows with a key from ?1 to ?2; the key is its first column.
const SERIES: &str = "SELECT id, id, key, template, retention_ms, keep_last, max_rows, on_duplicate, type \
     FROM series WHERE id BETWEEN ?1 AND ?2 AND ?3 = 0";
const ADD_SERIES: &str = "INSERT OR IGNORE INTO series \
     (id, key, template, retention_ms, keep_last, max_rows, on_duplicate, type) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const ROWS: &str = "SELECT stored_at, series, stored_at, sequence, version, value FROM row \
     WHERE series = ?3 AND stored_at BETWEEN ?1 AND ?2";
const TAIL: &str = "SELECT sequence, series, stored_at, sequence, version, value FROM tail \
     WHERE sequence BETWEEN ?1 AND ?2 AND ?3 = 0";
const LARGE: &str = "SELECT value FROM large WHERE sequence = ?1";
const ADD_ROW: &str = "INSERT OR IGNORE INTO row (series, stored_at, sequence, version, value) VALUES (?1, ?2, ?3, ?4, ?5)";
const NUMBERS: &str = "UPDATE meta SET value = 1 + (SELECT coalesce(max(sequence), 0) FROM row) WHERE name = 'next_sequence'; \
     UPDATE state SET last_direct_sequence = (SELECT coalesce(max(sequence), 0) FROM row); \
     INSERT INTO last_stored (series, stored_at, sequence) SELECT series, stored_at, max(sequence) FROM row GROUP BY series";

/// Rows as they are in `row` and `tail`.
struct Found {
    series: i64,
    stored_at: i64,
    sequence: i64,
    version: Option<u32>,
    value: Option<String>,
}

impl Found {
    /// `None` where the row is not one that could have been written.
    fn of(row: &Row<'_>) -> Option<Self> {
        let found = Self {
            series: row.get(1).ok()?,
            stored_at: row.get(2).ok()?,
            sequence: row.get(3).ok()?,
            version: row.get(4).ok()?,
            value: row.get(5).ok()?,
        };
        let is_json = |json: &String| serde_json::from_str::<IgnoredAny>(json).is_ok();
        let is_plausible =
            found.stored_at >= 0 && found.sequence >= 1 && found.value.as_ref().is_none_or(is_json);
        is_plausible.then_some(found)
    }
}

/// Errors of the target end it. Errors of the source are damage, and are read around.
struct Saving<'a> {
    source: &'a Connection,
    target: &'a Connection,
    report: SalvageReport,
    /// By sequence, because a row may be read more than once.
    without_value: BTreeSet<i64>,
}

impl Saving<'_> {
    fn save(mut self) -> rusqlite::Result<SalvageReport> {
        let series = self.series()?;
        self.report.series = series.len() as u64;
        for id in &series {
            self.rows(ROWS, *id, 0, &series)?;
        }
        // Rows of the tail up to here are in `row`, or have been removed.
        let settled = "SELECT settled FROM state";
        let settled = self.source.query_row(settled, [], |r| r.get(0));
        self.rows(TAIL, 0, settled.unwrap_or(0) + 1, &series)?;
        self.report.rows_without_value = self.without_value.len() as u64;
        self.target.execute_batch(NUMBERS)?;
        Ok(self.report)
    }

    fn series(&mut self) -> rusqlite::Result<BTreeSet<i64>> {
        let mut series = BTreeSet::new();
        let mut add = self.target.prepare(ADD_SERIES)?;
        let mut take = |row: &Row<'_>| {
            let columns: Result<Vec<Value>, _> = (1..=8).map(|column| row.get(column)).collect();
            let Ok(columns) = columns else {
                return Ok(false);
            };
            let id = columns[0].clone();
            match add.execute(params_from_iter(columns)) {
                Ok(_) => {}
                // The tables refuse what none of their rows can be.
                Err(error) if is_refused(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
            if let Value::Integer(id) = id {
                series.insert(id);
            }
            Ok(true)
        };
        self.report.unreadable_stretches += read_rows(self.source, SERIES, 0, 1, &mut take)?;
        drop(add);
        Ok(series)
    }

    fn rows(
        &mut self,
        sql: &str,
        of: i64,
        first: i64,
        series: &BTreeSet<i64>,
    ) -> rusqlite::Result<()> {
        let mut add = self.target.prepare_cached(ADD_ROW)?;
        let mut add_large = self.target.prepare_cached(sql::INSERT_LARGE)?;
        let mut large = self.source.prepare_cached(LARGE)?;
        let (report, without_value) = (&mut self.report, &mut self.without_value);
        let mut take = |row: &Row<'_>| {
            let Some(found) = Found::of(row).filter(|found| series.contains(&found.series)) else {
                return Ok(false);
            };
            let long = match &found.value {
                Some(_) => None,
                None => match large.query_row([found.sequence], |r| r.get::<_, String>(0)) {
                    Ok(long) => Some(long),
                    Err(_) => {
                        without_value.insert(found.sequence);
                        return Ok(true);
                    }
                },
            };
            let key = (found.series, found.stored_at, found.sequence);
            let added = add.execute((key.0, key.1, key.2, found.version, found.value))?;
            if added > 0
                && let Some(long) = long
            {
                add_large.execute((found.sequence, long))?;
            }
            report.rows += added as u64;
            Ok(true)
        };
        let unreadable = read_rows(self.source, sql, of, first, &mut take)?;
        report.unreadable_stretches += unreadable;
        Ok(())
    }
}

fn is_refused(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// Gives `take` the rows with a key of at least `first`. A row that `take` rejects counts as damage. Says how many
/// stretches could not be read.
fn read_rows(
    source: &Connection,
    sql: &str,
    of: i64,
    first: i64,
    take: &mut impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
) -> rusqlite::Result<u64> {
    read_around_damage(first..=i64::MAX, &mut |keys, direction| {
        let direction = match direction {
            Direction::Up => "",
            Direction::Down => " DESC",
        };
        let mut last = None;
        let sql = format!("{sql} ORDER BY 1{direction}");
        let Ok(mut rows) = source.prepare_cached(&sql) else {
            return Ok(Reached::Damage(None));
        };
        let Ok(mut rows) = rows.query((*keys.start(), *keys.end(), of)) else {
            return Ok(Reached::Damage(None));
        };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(Reached::End),
                Err(_) => return Ok(Reached::Damage(last)),
            };
            let key = row.get(0).ok().filter(|key| keys.contains(key));
            match key {
                Some(key) if take(row)? => last = Some(key),
                _ => return Ok(Reached::Damage(last)),
            }
        }
    })
}
