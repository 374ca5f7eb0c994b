//! Deleting rows, and saying first which.

use aimdb_persistence_backend::PersistenceError;
use serde::Serialize;

use crate::query::answers::extent::SeriesExtent;
use crate::query::history::{History, Question, Take};

/// Rows of one series that were deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Deleted {
    /// The record's key.
    pub record_name: String,
    /// How many.
    pub rows: u64,
}

impl<T: Send + 'static> History<T> {
    /// What [`delete`](Self::delete) would delete: the rows of each series, and how far they reach. Nothing is changed.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub async fn would_delete(self) -> Result<Vec<SeriesExtent>, PersistenceError> {
        self.question.check_deletable()?;
        self.counted_series().await
    }

    /// Deletes the rows: of every series in question, all of them or those [between](Self::between) two times. Says how many of each
    /// series. Of a type, that is the rows of its series alone.
    ///
    /// Series go one after the other, each in small steps that delay no store for long; a deletion that is dropped half-way
    /// has deleted some. Rows that are stored meanwhile may stay, and so does what is declared. A policy compares what comes next
    /// with the newest row that is left. The space goes back to the file system.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, PersistenceError};
    ///
    /// /// A sensor was broken on that day.
    /// async fn forget(db: &impl AimDbQueryExt, day: std::ops::Range<u64>) -> Result<(), PersistenceError> {
    ///     let broken = db.history("temperature.cellar").between(day.start, day.end - 1);
    ///     for series in broken.clone().would_delete().await? {
    ///         println!("{:?} rows of {} will go", series.rows, series.record_name);
    ///     }
    ///     broken.delete().await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As every answer of a [`History`]; [`InvalidQuery`](PersistenceError::InvalidQuery) where the question is about some rows of a time
    /// and not others, by a condition or a number; [`Unsupported`](PersistenceError::Unsupported) by backends that cannot delete.
    pub async fn delete(self) -> Result<Vec<Deleted>, PersistenceError> {
        let question = self.question.clone();
        let (start_ms, end_ms) = (
            question.start_ms.unwrap_or(0),
            question.end_ms.unwrap_or(u64::MAX),
        );
        let mut deleted = Vec::new();
        for SeriesExtent { record_name, .. } in self.would_delete().await? {
            let archive = question.archive()?;
            let erased = archive.backend().erase(&record_name, start_ms, end_ms);
            let rows = archive
                .change_rows(&record_name, start_ms..=end_ms, erased)
                .await?;
            deleted.push(Deleted { record_name, rows });
        }
        Ok(deleted)
    }
}

impl Question {
    fn check_deletable(&self) -> Result<(), PersistenceError> {
        let reason = if self.condition.is_some() {
            "rows are deleted by their times, not by conditions: leave `filter` out"
        } else if self.take != Take::All || self.limit.is_some() {
            "rows are deleted by their times, not by their number: leave `latest`, `oldest` and `limit` out"
        } else {
            return Ok(());
        };
        Err(PersistenceError::InvalidQuery {
            reason: reason.to_owned(),
        })
    }
}
