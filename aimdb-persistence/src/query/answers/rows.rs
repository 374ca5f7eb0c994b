//! Rows as values of their type.

use std::any::type_name;

use aimdb_persistence_backend::json::Scalar;
use aimdb_persistence_backend::{PersistenceError, Row, Visit};

use crate::archive::event::PersistenceEvent;
use crate::declaration::versions::FromStored;
use crate::query::history::History;
use crate::query::look::Look;
use crate::recorder::Recorder;

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
        decoder.report(question.recorder()?)?;
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

/// Decodes rows where they are shown, and keeps what is to be told of those that do not decode.
pub(crate) struct Decoder<T> {
    from_stored: FromStored<T>,
    strict: bool,
    /// Since the last report.
    skipped: u64,
    any_skipped: bool,
    /// To be told of the first one of all.
    news: Option<PersistenceEvent>,
    failed: Option<PersistenceError>,
}

pub(crate) enum Decoded<T> {
    Value(T),
    Skipped,
    /// The query is to end with an error.
    Failed,
}

impl<T> Decoder<T> {
    pub(crate) fn new(from_stored: FromStored<T>, strict: bool) -> Self {
        Self {
            from_stored,
            strict,
            skipped: 0,
            any_skipped: false,
            news: None,
            failed: None,
        }
    }

    pub(crate) fn decode(&mut self, row: Row<'_>) -> Decoded<T> {
        let source = match (self.from_stored)(row.version, row.json) {
            Ok(value) => return Decoded::Value(value),
            Err(error) => error,
        };
        let (record_name, stored_at) = (row.record_name.to_owned(), row.stored_at);
        let type_name = type_name::<T>();
        if self.strict {
            self.failed = Some(PersistenceError::Undecodable {
                record_name,
                stored_at,
                type_name,
                source,
            });
            return Decoded::Failed;
        }
        self.skipped += 1;
        if !std::mem::replace(&mut self.any_skipped, true) {
            self.news = Some(PersistenceEvent::Undecodable {
                record_name,
                stored_at,
                reason: format!("not a `{type_name}`: {source}"),
            });
        }
        Decoded::Skipped
    }

    /// Counts what was skipped since the last report; tells of the first row of all.
    ///
    /// # Errors
    /// If a row ended the query.
    pub(crate) fn report(&mut self, recorder: &Recorder) -> Result<(), PersistenceError> {
        recorder.count_undecodable(std::mem::take(&mut self.skipped));
        if let Some(event) = self.news.take() {
            recorder.report(&event);
        }
        self.failed.take().map_or(Ok(()), Err)
    }
}
