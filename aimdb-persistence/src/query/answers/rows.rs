//! Rows as values of their type.

use std::sync::Arc;

use aimdb_persistence_backend::json::Scalar;
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};
use serde::{Serialize, Serializer};

use crate::query::decoding::{Decoded, Decoder};
use crate::query::history::{History, Question};
use crate::query::look::Look;

/// A value with the record it belongs to and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Persisted<T> {
    /// The record's key.
    pub record_name: String,
    /// Unix milliseconds: when the value was recorded, or its own event time.
    pub stored_at: u64,
    /// Who recorded it, where several programs record into one database under names of their own. `None` anywhere else.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub source: Option<Arc<str>>,
    /// The value.
    pub value: T,
}

/// serde knows shared texts only with a feature that would hold for all of a program.
fn as_text<S: Serializer>(source: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    source.as_deref().serialize(serializer)
}

impl<T: Send + 'static> History<T> {
    /// The values, by record name and then in [order](Self::order), or all of them in order of [time](Self::by_time).
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
            room: question.room(is_in_order),
            times: question.by_time.then(Vec::new),
            rows: Vec::new(),
            series: Vec::new(),
        };
        if limit == 0 {
            return Ok(Vec::new());
        }
        let reading = question.read_as(order, limit_per_series);
        let Collect {
            mut decoder,
            mut rows,
            times,
            series,
            ..
        } = question.look(reading, collect).await?;
        decoder.report(question.archive()?)?;
        if let Some(times) = times {
            rows = in_order_of_time(times, rows, question.order());
        } else if !is_in_order {
            let ends = series.iter().skip(1).copied().chain([rows.len()]);
            for (start, end) in series.iter().zip(ends).collect::<Vec<_>>() {
                rows[*start..end].reverse();
            }
        }
        rows.truncate(limit);
        Ok(rows)
    }
}

impl Question {
    /// How many rows are to be collected before no other one is wanted.
    fn room(&self, is_in_order: bool) -> Room {
        let limit = self.limit.unwrap_or(usize::MAX);
        match (is_in_order, self.by_time) {
            (true, false) => Room::InAll(limit),
            // What comes first in time may be in any of the series, but no more than so many in each.
            (true, true) => Room::OfEachSeries(limit),
            // What comes last as it is read may be among the first of the answer.
            (false, _) => Room::InAll(usize::MAX),
        }
    }
}

/// Rows of one time stay by record name, and those of one series as the order has them.
fn in_order_of_time<R>(times: Vec<u64>, rows: Vec<R>, order: Order) -> Vec<R> {
    let mut rows: Vec<(u64, R)> = times.into_iter().zip(rows).collect();
    match order {
        Order::OldestFirst => rows.sort_by_key(|(at_ms, _)| *at_ms),
        Order::NewestFirst => rows.sort_by_key(|(at_ms, _)| std::cmp::Reverse(*at_ms)),
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

pub(crate) fn persisted<T>(row: Row<'_>, value: T) -> Persisted<T> {
    Persisted {
        record_name: row.record_name.to_owned(),
        stored_at: row.stored_at,
        source: row.source.cloned(),
        value,
    }
}

#[derive(Clone, Copy)]
enum Room {
    InAll(usize),
    OfEachSeries(usize),
}

/// Decodes rows up to a number.
struct Collect<T, R> {
    decoder: Decoder<T>,
    form: fn(Row<'_>, T) -> R,
    room: Room,
    /// Of the rows, where they are to be ordered by them.
    times: Option<Vec<u64>>,
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
            Decoded::Value(value) => {
                self.rows.push((self.form)(row, value));
                if let Some(times) = &mut self.times {
                    times.push(row.stored_at);
                }
            }
            Decoded::Skipped => {}
            Decoded::Failed => return Visit::Stop,
        }
        let of_this_series = self.rows.len() - self.series.last().copied().unwrap_or(0);
        match self.room {
            Room::InAll(room) if self.rows.len() >= room => Visit::Stop,
            Room::OfEachSeries(room) if of_this_series >= room => Visit::NextSeries,
            _ => Visit::Continue,
        }
    }
}
