//! A file's lines into rows.

mod described;
mod lines;
mod mapping;
mod repeats;

use std::sync::Arc;

use aimdb_persistence_backend::Rows;
use serde::Serialize;

use crate::error::HistoryError;
pub use crate::exchange::import::described::Import;
use crate::exchange::import::lines::Lines;
use crate::exchange::import::mapping::Mapping;
use crate::exchange::import::repeats::Repeats;
use crate::location::OpenHistory;
use crate::question::Clock;
use crate::written::NewFile;

/// What was imported, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Lines of the file.
    pub lines: u64,
    /// Rows that were stored.
    pub rows: u64,
    /// Rows that the history has already, equal to the last digit.
    pub repeated: u64,
    /// Lines that cannot be rows.
    pub rejected: u64,
    /// The first of the rejected lines: its number, and the reason.
    pub first_reject: Option<(u64, String)>,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportProgress {
    /// Lines that were read.
    pub lines: u64,
}

const BATCH_ROWS: usize = 4_096;

/// Stores the lines of a file as rows. It is safe to repeat: a row that the history has already, of the same time, version
/// and value, is left out. What a series declares of rows of the same time holds as well.
///
/// # Errors
/// The file system's, the backend's, and [`HistoryError::Usage`] for a column that there is not. What was stored before
/// stays stored; the next import goes on.
pub async fn import(
    history: &OpenHistory,
    import: &Import,
    clock: &Clock,
    mut on_progress: impl FnMut(ImportProgress),
) -> Result<Imported, HistoryError> {
    let mut lines = Lines::open(&import.file)?;
    let mapping = Mapping::of(import, lines.columns(), clock)?;
    let rejects = import.rejects.as_ref().map(|path| NewFile::create(path));
    let mut work = Work {
        history,
        dry_run: import.dry_run,
        repeats: Repeats::of(history).await?,
        rejects: rejects.transpose()?,
        done: Imported::default(),
    };
    let mut batch = Batch::default();
    while let Some(line) = lines.next()? {
        work.done.lines += 1;
        let row = line.values.and_then(|values| mapping.row(&values));
        match row {
            Ok(row) => {
                let (key, version) = (&row.record_name, row.version);
                batch
                    .rows
                    .push_versioned(key, row.stored_at, &row.json, version);
                batch.lines.push((line.number, line.text));
            }
            Err(reason) => work.reject(line.number, &reason, &line.text)?,
        }
        if batch.lines.len() == BATCH_ROWS {
            work.store(std::mem::take(&mut batch)).await?;
            on_progress(ImportProgress {
                lines: work.done.lines,
            });
        }
    }
    work.store(batch).await?;
    history.backend.flush().await?;
    if let Some(rejects) = work.rejects.take()
        && work.done.rejected > 0
    {
        rejects.complete()?;
    }
    Ok(work.done)
}

/// Rows, and the lines that they come from.
#[derive(Default)]
struct Batch {
    rows: Rows,
    lines: Vec<(u64, String)>,
}

struct Work<'h> {
    history: &'h OpenHistory,
    dry_run: bool,
    repeats: Repeats,
    rejects: Option<NewFile>,
    done: Imported,
}

impl Work<'_> {
    async fn store(&mut self, batch: Batch) -> Result<(), HistoryError> {
        let is_new = self.repeats.are_new(self.history, &batch.rows).await?;
        let (mut rows, mut lines) = (Rows::new(), Vec::new());
        let of_batch = batch.rows.iter().zip(batch.lines).zip(is_new);
        for ((row, line), is_new) in of_batch {
            match is_new {
                true => {
                    rows.push_versioned(row.record_name, row.stored_at, row.json, row.version);
                    lines.push(line);
                }
                false => self.done.repeated += 1,
            }
        }
        if self.dry_run {
            self.done.rows += rows.len() as u64;
            return Ok(());
        }
        let outcome = self.history.backend.store_batch(Arc::new(rows)).await;
        for (index, error) in &outcome.refused {
            let (number, text) = &lines[*index];
            self.reject(*number, &error.to_string(), text)?;
        }
        let left_out = outcome.left_out.len() + outcome.refused.len();
        self.done.repeated += outcome.left_out.len() as u64;
        self.done.rows += outcome.settled.saturating_sub(left_out) as u64;
        match outcome.stopped_by {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    fn reject(&mut self, number: u64, reason: &str, text: &str) -> Result<(), HistoryError> {
        self.done.rejected += 1;
        let first = (number, reason.to_owned());
        self.done.first_reject.get_or_insert(first);
        if let Some(rejects) = &mut self.rejects {
            let mut csv = csv::Writer::from_writer(Vec::new());
            if self.done.rejected == 1 {
                csv.write_record(["line", "reason", "text"])
                    .map_err(std::io::Error::from)?;
            }
            csv.write_record([&number.to_string(), reason, text])
                .map_err(std::io::Error::from)?;
            let record = csv.into_inner().map_err(|error| error.into_error())?;
            rejects.write(&record)?;
        }
        Ok(())
    }
}
