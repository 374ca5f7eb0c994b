//! A series row by row, as the times between them; and the rows just outside of the range.

use std::collections::BTreeMap;

use crate::query::decoding::Check;
use crate::query::history::Question;
use crate::query::look::{Decodable, Look, Reading};
use crate::query::range::{Range, RowTimes};
use aimdb_persistence_backend::json::{Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};
use aimdb_persistence_packed::statistics::Stretch;

/// What is looked at in a row.
pub(crate) trait Extract: Send + 'static {
    type Value: Clone + Send + 'static;

    fn bind(&mut self, projection: &mut Projection);

    /// `None` for a row without a value.
    fn value(&self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Option<Self::Value>;
}

/// A row: its time and what it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge<V> {
    pub(crate) at_ms: u64,
    pub(crate) value: Option<V>,
}

/// Rows of one series in order of time, in either direction.
#[derive(Debug)]
pub(crate) struct Timeline<V> {
    ascending: bool,
    beside: Option<Edge<V>>,
    rows: RowTimes,
}

impl<V: Clone> Timeline<V> {
    pub(crate) fn ascending(before: Option<Edge<V>>) -> Self {
        Self {
            ascending: true,
            beside: before,
            rows: RowTimes::default(),
        }
    }

    pub(crate) fn descending() -> Self {
        Self {
            ascending: false,
            beside: None,
            rows: RowTimes::default(),
        }
    }

    pub(crate) fn rows(&self) -> &RowTimes {
        &self.rows
    }

    /// Before the first row, when rows come newest first: what follows the newest.
    pub(crate) fn ends_with(&mut self, after: Edge<V>) {
        self.beside = Some(after);
    }

    /// The next row; answers with the time between it and the row beside it, where the older one of the two holds a value.
    pub(crate) fn row(&mut self, at_ms: u64, value: Option<V>, is_own: bool) -> Option<Stretch<V>> {
        self.rows.add(at_ms, is_own);
        let row = Edge { at_ms, value };
        let beside = self.beside.replace(row.clone());
        match self.ascending {
            true => stretch(beside?, row),
            false => stretch(row, beside?),
        }
    }

    /// After the newest row, when rows come oldest first.
    pub(crate) fn end(&mut self, after: Edge<V>) -> Option<Stretch<V>> {
        let newest = self.beside.take().filter(|_| self.ascending)?;
        stretch(newest, after)
    }
}

fn stretch<V>(older: Edge<V>, newer: Edge<V>) -> Option<Stretch<V>> {
    Some(Stretch {
        from_ms: older.at_ms,
        value: older.value?,
        until_ms: newer.at_ms,
        next: newer.value,
    })
}

/// The rows just outside of the range, by record name.
pub(crate) struct Outside<V> {
    pub(crate) before: BTreeMap<String, Edge<V>>,
    pub(crate) after: BTreeMap<String, Edge<V>>,
}

impl Question {
    /// The newest row of each series before the range, and, where `wants_after`, the oldest one after it: one seek for each series.
    pub(crate) async fn outside<E: Extract>(
        &self,
        range: &Range,
        check: &Check,
        wants_after: bool,
        at: impl Fn() -> E,
    ) -> Result<Outside<E::Value>, PersistenceError> {
        let mut outside = Outside {
            before: BTreeMap::new(),
            after: BTreeMap::new(),
        };
        if let Some(end_ms) = range.before_ms() {
            let reading = self.one_row_each(Order::NewestFirst, check, (None, Some(end_ms)));
            outside.before = self.look(reading, Nearest::new(at())).await?.found;
        }
        if let Some(start_ms) = range.after_ms().filter(|_| wants_after) {
            let reading = self.one_row_each(Order::OldestFirst, check, (Some(start_ms), None));
            outside.after = self.look(reading, Nearest::new(at())).await?.found;
        }
        Ok(outside)
    }

    /// The newest row of one series before a time that has a value, among the newest `rows`.
    pub(crate) async fn newest_value<E: Extract>(
        &self,
        record_name: &str,
        check: &Check,
        (before_ms, rows): (u64, usize),
        at: E,
    ) -> Result<Option<Edge<E::Value>>, PersistenceError> {
        let reading = Reading {
            rows_per_series: Some(rows),
            only: Some(record_name),
            ..self.one_row_each(Order::NewestFirst, check, (None, Some(before_ms)))
        };
        let nearest = Nearest {
            wants_a_value: true,
            ..Nearest::new(at)
        };
        let mut nearest = self.look(reading, nearest).await?;
        let found = nearest.found.remove(record_name);
        Ok(found.filter(|edge| edge.value.is_some()))
    }

    fn one_row_each<'q>(
        &self,
        order: Order,
        check: &'q Check,
        (start_ms, end_ms): (Option<u64>, Option<u64>),
    ) -> Reading<'q> {
        Reading {
            order,
            limit_per_series: None,
            rows_per_series: Some(1),
            start_ms,
            end_ms,
            only: None,
            decodable: Some(Decodable {
                check,
                are_told: false,
            }),
        }
    }
}

/// Looks at the first row of each series, or the first one that has a value.
struct Nearest<E: Extract> {
    at: E,
    wants_a_value: bool,
    record_name: String,
    found: BTreeMap<String, Edge<E::Value>>,
}

impl<E: Extract> Nearest<E> {
    fn new(at: E) -> Self {
        Self {
            at,
            wants_a_value: false,
            record_name: String::new(),
            found: BTreeMap::new(),
        }
    }

    fn take(&mut self, edge: Edge<E::Value>) -> Visit {
        let goes_on = self.wants_a_value && edge.value.is_none();
        self.found.insert(self.record_name.clone(), edge);
        if goes_on {
            Visit::Continue
        } else {
            Visit::NextSeries
        }
    }
}

impl<E: Extract> Look for Nearest<E> {
    fn bind(&mut self, projection: &mut Projection) {
        self.at.bind(projection);
    }

    fn begin_series(&mut self, record_name: &str) {
        record_name.clone_into(&mut self.record_name);
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        let value = self.at.value(row, scalars);
        self.take(Edge {
            at_ms: row.stored_at,
            value,
        })
    }

    fn left_out(&mut self, stored_at: u64) -> Visit {
        self.take(Edge {
            at_ms: stored_at,
            value: None,
        })
    }
}
