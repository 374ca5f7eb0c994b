//! Rows into a file: CSV, NDJSON or Parquet.

mod csv_file;
mod ndjson_file;
#[cfg(feature = "parquet")]
mod parquet_file;
mod row_file;

use std::path::Path;

use aimdb_persistence_backend::Row;
use serde::Serialize;

use crate::error::HistoryError;
use crate::exchange::columns::Columns;
use crate::exchange::export::row_file::RowFile;
use crate::exchange::file_kind::FileKind;
use crate::location::OpenHistory;
use crate::question::Selection;
use crate::written::NewFile;

/// What was exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Rows in the file.
    pub rows: u64,
    /// Columns, of a file that has some.
    pub columns: usize,
}

/// How far an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportProgress {
    /// The rows are looked at for their fields: so many so far.
    Looking(u64),
    /// They are written: so many, of so many.
    Writing(u64, u64),
}

/// Writes the selected rows into a new file, series by series, the oldest first, in bounded memory.
///
/// The columns of CSV and Parquet are `record_name`, `stored_at`, `version`, and the fields that the rows have. A field
/// within a field is named with a dot between, `wind.gust`. So the rows are read twice: first for their fields.
///
/// # Errors
/// [`HistoryError::NothingFound`] without rows; the backend's; the file system's, such as a full disk. Then no file is
/// left.
pub async fn export(
    history: &OpenHistory,
    selection: &Selection,
    path: &Path,
    mut on_progress: impl FnMut(ExportProgress),
) -> Result<Exported, HistoryError> {
    let kind = FileKind::of(path)?;
    #[cfg(not(feature = "parquet"))]
    if kind == FileKind::Parquet {
        return Err(no_parquet());
    }
    let mut columns = Columns::default();
    let mut total = 0;
    if kind != FileKind::Ndjson {
        let mut pages = selection.read(history);
        while let Some(page) = pages.next().await? {
            for row in page.iter().filter(|row| is_meant(selection, *row)) {
                columns.learn(row.json);
                total += 1;
            }
            on_progress(ExportProgress::Looking(total));
        }
        if total == 0 {
            return Err(nothing(selection));
        }
    }
    // Rows that are recorded meanwhile may have further fields.
    loop {
        let mut file = begin(kind, path, &columns)?;
        let mut pages = selection.read(history);
        let (mut rows, mut learnt) = (0, false);
        while let Some(page) = pages.next().await? {
            for row in page.iter().filter(|row| is_meant(selection, *row)) {
                if !file.row(row)? {
                    columns.learn(row.json);
                    learnt = true;
                }
                rows += 1;
            }
            on_progress(ExportProgress::Writing(rows, total));
        }
        if rows == 0 {
            return Err(nothing(selection));
        }
        if !learnt {
            file.complete()?;
            return Ok(Exported {
                rows,
                columns: columns.names().len(),
            });
        }
    }
}

fn begin(kind: FileKind, path: &Path, columns: &Columns) -> Result<Box<dyn RowFile>, HistoryError> {
    let file = NewFile::create(path)?;
    Ok(match kind {
        FileKind::Csv => Box::new(csv_file::CsvFile::begin(file, columns.clone())?),
        FileKind::Ndjson => Box::new(ndjson_file::NdjsonFile::begin(file)),
        #[cfg(feature = "parquet")]
        FileKind::Parquet => Box::new(parquet_file::ParquetFile::begin(file, path, columns)?),
        #[cfg(not(feature = "parquet"))]
        FileKind::Parquet => return Err(no_parquet()),
    })
}

#[cfg(not(feature = "parquet"))]
fn no_parquet() -> HistoryError {
    let reason = "Parquet needs the feature `parquet`, which this program was built without";
    HistoryError::Usage(reason.to_owned())
}

fn is_meant(selection: &Selection, row: Row<'_>) -> bool {
    let test = selection.test.as_ref();
    test.is_none_or(|test| test.holds(row.json))
}

fn nothing(selection: &Selection) -> HistoryError {
    HistoryError::NothingFound(format!(
        "there are no rows of `{}` to be exported",
        selection.pattern.as_str()
    ))
}
