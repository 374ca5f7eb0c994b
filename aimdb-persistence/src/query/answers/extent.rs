//! Which series there are, and how far they reach.

use aimdb_persistence_backend::json::Scalar;
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};
use serde::Serialize;

use crate::query::history::{History, Question, Take};
use crate::query::look::{Look, Reading};

/// A series and how far its rows reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeriesExtent {
    /// The record's key.
    pub record_name: String,
    /// The time of its oldest row, in Unix milliseconds.
    pub first_ms: u64,
    /// The time of its newest row, in Unix milliseconds.
    pub last_ms: u64,
    /// How many rows there are, where they were counted.
    pub rows: Option<u64>,
}

impl<T: Send + 'static> History<T> {
    /// The series that have rows in question, by record name, and how far these reach. A [`limit`](Self::limit) does not
    /// count.
    ///
    /// A backend that seeks, as SQLite does, looks at two rows of each series, however many there are. The rows are
    /// not counted, unless they are confined to the [latest](Self::latest) or [oldest](Self::oldest): for that there is
    /// [`counted_series`](Self::counted_series). The two ends are looked at one after the other: of a series that is
    /// written to meanwhile, they may be of two moments.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, PersistenceError};
    ///
    /// async fn silent_sensors(db: &impl AimDbQueryExt, since_ms: u64) -> Result<(), PersistenceError> {
    ///     for series in db.history("temperature.*").series().await? {
    ///         if series.last_ms < since_ms {
    ///             println!("{} has been silent since {} ms", series.record_name, series.last_ms);
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn series(self) -> Result<Vec<SeriesExtent>, PersistenceError> {
        if self.question.take != Take::All {
            return self.counted_series().await;
        }
        let question = &self.question;
        let both_ends = async {
            let newest = question.extents(question.read_as(Order::NewestFirst, Some(1)));
            let mut newest = newest.await?.into_iter().peekable();
            let mut series = question
                .extents(question.read_as(Order::OldestFirst, Some(1)))
                .await?;
            // One that is only at one end came or went meanwhile.
            series.retain_mut(|oldest| {
                while newest
                    .next_if(|n| n.record_name < oldest.record_name)
                    .is_some()
                {}
                let newest = newest.next_if(|n| n.record_name == oldest.record_name);
                oldest.rows = None;
                oldest.last_ms = newest
                    .as_ref()
                    .map_or(0, |n| n.last_ms.max(oldest.first_ms));
                newest.is_some()
            });
            Ok(series)
        };
        question.in_time(both_ends).await
    }

    /// [`series`](Self::series) with the number of their rows, all of one moment: it takes a look at every row, though
    /// not at its value.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn counted_series(self) -> Result<Vec<SeriesExtent>, PersistenceError> {
        let (order, limit_per_series) = self.question.reading();
        let reading = self.question.read_as(order, limit_per_series);
        self.question.extents(reading).await
    }
}

impl Question {
    async fn extents(&self, reading: Reading<'_>) -> Result<Vec<SeriesExtent>, PersistenceError> {
        let extents = Extents {
            series: Vec::new(),
            begun: None,
        };
        Ok(self.look(reading, extents).await?.series)
    }
}

/// Sees how far the rows of each series reach.
struct Extents {
    series: Vec<SeriesExtent>,
    /// A series of which no row has been seen.
    begun: Option<String>,
}

impl Look for Extents {
    const NEEDS_JSON: bool = false;

    fn begin_series(&mut self, record_name: &str) {
        self.begun = Some(record_name.to_owned());
    }

    fn row(&mut self, row: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        if let Some(record_name) = self.begun.take() {
            self.series.push(SeriesExtent {
                record_name,
                first_ms: row.stored_at,
                last_ms: row.stored_at,
                rows: Some(0),
            });
        }
        if let Some(series) = self.series.last_mut() {
            series.first_ms = series.first_ms.min(row.stored_at);
            series.last_ms = series.last_ms.max(row.stored_at);
            series.rows = series.rows.map(|rows| rows + 1);
        }
        Visit::Continue
    }
}
