//! Rows as values of their type.

use aimdb_persistence_backend::json::Scalar;
use aimdb_persistence_backend::{PersistenceError, Row, Visit};

use crate::query::decoder::{Decoded, Decoder};
use crate::query::history::History;
use crate::query::look::Look;

/// A value with the record it belongs to and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persisted<T> {
    /// The record's key.
    pub record: String,
    /// Unix milliseconds: when the value was recorded, or its own event time.
    pub stored_at: u64,
    /// The value.
    pub value: T,
}

impl<T: Send + 'static> History<T> {
    /// The values, by record name and then in [order](Self::order).
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn values(self) -> Result<Vec<T>, PersistenceError> {
        self.collect(|_, value| value).await
    }

    /// The same with record name and time.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn rows(self) -> Result<Vec<Persisted<T>>, PersistenceError> {
        self.collect(persisted).await
    }

    async fn collect<R: Send + 'static>(
        self,
        form: fn(Row<'_>, T) -> R,
    ) -> Result<Vec<R>, PersistenceError> {
        let Self {
            question,
            from_stored,
        } = self;
        let (order, limit_per_series) = question.reading();
        let is_in_order = order == question.order();
        let limit = question.limit.unwrap_or(usize::MAX);
        let collect = Collect {
            decoder: Decoder::new(from_stored, question.strict),
            form,
            // What comes last as it is read may be among the first of the answer.
            room: if is_in_order { limit } else { usize::MAX },
            rows: Vec::new(),
            series: Vec::new(),
        };
        if collect.room == 0 {
            return Ok(Vec::new());
        }
        let reading = question.read_as(order, limit_per_series);
        let Collect {
            mut decoder,
            mut rows,
            series,
            ..
        } = question.look(reading, collect).await?;
        decoder.report(question.archive()?)?;
        if !is_in_order {
            let ends = series.iter().skip(1).copied().chain([rows.len()]);
            for (start, end) in series.iter().zip(ends).collect::<Vec<_>>() {
                rows[*start..end].reverse();
            }
            rows.truncate(limit);
        }
        Ok(rows)
    }
}

pub(crate) fn persisted<T>(row: Row<'_>, value: T) -> Persisted<T> {
    Persisted {
        record: row.record_name.to_owned(),
        stored_at: row.stored_at,
        value,
    }
}

/// Decodes rows up to a number.
struct Collect<T, R> {
    decoder: Decoder<T>,
    form: fn(Row<'_>, T) -> R,
    room: usize,
    rows: Vec<R>,
    /// Where each series begins among the rows.
    series: Vec<usize>,
}

impl<T: 'static, R: Send + 'static> Look for Collect<T, R> {
    fn begin_series(&mut self, _: &str) {
        self.series.push(self.rows.len());
    }

    fn row(&mut self, row: Row<'_>, _: &[Scalar<'_>]) -> Visit {
        match self.decoder.decode(row) {
            Decoded::Value(value) => self.rows.push((self.form)(row, value)),
            Decoded::Skipped => {}
            Decoded::Failed => return Visit::Stop,
        }
        match self.rows.len() < self.room {
            true => Visit::Continue,
            false => Visit::Stop,
        }
    }
}
