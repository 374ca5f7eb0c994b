//! The first and the last row, how many there are, and whether there are any.

use crate::query::answers::rows::{Persisted, persisted};
use crate::query::decoding::{Decoded, Decoder};
use crate::query::history::{History, Take};
use crate::query::look::Look;
use aimdb_persistence_backend::json::Scalar;
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};

impl<T: Send + 'static> History<T> {
    /// The oldest of the rows, whatever their [order](Self::order): of all series together, the first one that decodes.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn first(self) -> Result<Option<Persisted<T>>, PersistenceError> {
        self.end(Order::OldestFirst).await
    }

    /// The newest of the rows, as [`first`](Self::first) is the oldest. (The rows of the last day are those of [`past("24h")`](Self::past).)
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn last(self) -> Result<Option<Persisted<T>>, PersistenceError> {
        self.end(Order::NewestFirst).await
    }

    async fn end(self, from: Order) -> Result<Option<Persisted<T>>, PersistenceError> {
        let Self {
            question,
            from_stored,
        } = self;
        let (order, limit_per_series) = match question.take {
            Take::All => (from, None),
            Take::Latest(_) | Take::Oldest(_) => question.reading(),
        };
        let end = End {
            decoder: Decoder::new(from_stored, question.strict),
            from,
            is_read_from_there: order == from,
            of_series: None,
            best: None,
        };
        let reading = question.read_as(order, limit_per_series);
        let mut end = question.look(reading, end).await?;
        end.decoder.report(question.archive()?)?;
        end.settle_series();
        Ok(end.best)
    }

    /// How many rows there are, those that do not decode among them.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn count(self) -> Result<u64, PersistenceError> {
        let question = self.question;
        let (order, limit_per_series) = question.reading();
        let limit = question.limit.map_or(u64::MAX, |limit| limit as u64);
        let reading = question.read_as(order, limit_per_series);
        let Count { rows, .. } = question.look(reading, Count { rows: 0, limit }).await?;
        Ok(rows)
    }

    /// Whether there are any rows.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn exists(self) -> Result<bool, PersistenceError> {
        let limit = self.question.limit.unwrap_or(1).min(1);
        Ok(self.limit(limit).count().await? > 0)
    }
}

/// Keeps the row at one end.
struct End<T> {
    decoder: Decoder<T>,
    from: Order,
    /// The first row of a series that decodes is the one; otherwise, the last one.
    is_read_from_there: bool,
    of_series: Option<Persisted<T>>,
    best: Option<Persisted<T>>,
}

impl<T> End<T> {
    fn settle_series(&mut self) {
        let Some(row) = self.of_series.take() else {
            return;
        };
        let is_better = self.best.as_ref().is_none_or(|best| match self.from {
            Order::OldestFirst => row.stored_at < best.stored_at,
            Order::NewestFirst => row.stored_at > best.stored_at,
        });
        if is_better {
            self.best = Some(row);
        }
    }
}

impl<T: Send + 'static> Look for End<T> {
    fn begin_series(&mut self, _: &str) {
        self.settle_series();
    }

    fn row(&mut self, row: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        match self.decoder.decode(row) {
            Decoded::Value(value) => {
                self.of_series = Some(persisted(row, value));
                match self.is_read_from_there {
                    true => Visit::NextSeries,
                    false => Visit::Continue,
                }
            }
            Decoded::Skipped => Visit::Continue,
            Decoded::Failed => Visit::Stop,
        }
    }
}

struct Count {
    rows: u64,
    limit: u64,
}

impl Look for Count {
    const NEEDS_JSON: bool = false;

    fn row(&mut self, _: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        // Checked first: a limit may be 0.
        if self.rows < self.limit {
            self.rows += 1;
        }
        match self.rows < self.limit {
            true => Visit::Continue,
            false => Visit::Stop,
        }
    }
}
