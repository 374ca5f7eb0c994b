//! The numbers of a field, series by series: what every summary is made of.

use std::collections::{BTreeMap, BTreeSet};

use crate::declaration::field_path::FieldPath;
use crate::query::decoding::Check;
use crate::query::history::{Question, Take};
use crate::query::look::{Decodable, Look, Reading};
use crate::query::range::{Range, TermsOfSeries};
use crate::query::timeline::{Edge, Extract, Outside, Timeline};
use aimdb_persistence_backend::json::{Number, Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};
use aimdb_persistence_packed::statistics::Reading as Numbered;
use aimdb_persistence_packed::statistics::{Stretch, Window};

/// Where a number lies.
#[derive(Clone)]
pub(crate) struct NumberAt {
    path: FieldPath,
    slot: usize,
}

impl NumberAt {
    pub(crate) fn new(path: FieldPath) -> Self {
        Self { path, slot: 0 }
    }
}

impl Extract for NumberAt {
    type Value = Number;

    fn bind(&mut self, projection: &mut Projection) {
        self.slot = projection.slot(self.path.names());
    }

    fn value(&self, _: Row<'_>, scalars: &[Scalar<'_>]) -> Option<Number> {
        match scalars.get(self.slot)? {
            Scalar::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// What numbers go into.
pub(crate) trait Sink: Send + 'static {
    /// A row of the range, with or without a number. Says whether more are wanted.
    fn row(&mut self, at_ms: u64, number: Option<Number>, ascending: bool) -> bool;

    /// The time for which a number holds, of which the window is the range's. Says whether more is wanted.
    fn stretch(&mut self, stretch: &Stretch<Number>, window: Window, holds_ms: u64) -> bool;

    /// From one reading of a meter to the next, which lies within the range.
    fn count(&mut self, older: Numbered, newer: Numbered);

    /// A time over which a meter's increase is known.
    fn meter(&mut self, window: Window);

    /// All rows of a series have been seen.
    fn end_series(&mut self, record_name: &str, window: Window);
}

/// The reading before the range is looked for among so many rows.
const LOOK_BACK_ROWS: usize = 1_000;

impl Question {
    /// Lets the numbers of each series flow into the sink: its rows, and what was in force at the start of the range.
    pub(crate) async fn pour<S: Sink>(
        &self,
        path: FieldPath,
        check: &Check,
        sink: S,
    ) -> Result<S, PersistenceError> {
        self.in_time(async {
            let range = Range::of(self);
            let at = || NumberAt::new(path);
            let outside = self.outside(&range, check, true, at).await?;
            let readings = self.readings_before(&range, &outside, check, at).await?;
            let (order, limit_per_series) = self.reading_by_time();
            let reading = Reading {
                decodable: Some(Decodable {
                    check,
                    are_told: true,
                }),
                ..self.read_as(order, limit_per_series)
            };
            let pouring = Pouring {
                at: at(),
                ascending: order == Order::OldestFirst,
                range,
                terms: TermsOfSeries::of(self),
                outside,
                readings,
                series: None,
                seen: BTreeSet::new(),
                sink,
            };
            let mut pouring = self.look(reading, pouring).await?;
            pouring.end();
            Ok(pouring.sink)
        })
        .await
    }

    /// The newest reading of each series before the range: that of the row before it, or of one before that.
    async fn readings_before(
        &self,
        range: &Range,
        outside: &Outside<Number>,
        check: &Check,
        at: impl Fn() -> NumberAt,
    ) -> Result<BTreeMap<String, Numbered>, PersistenceError> {
        let mut readings = BTreeMap::new();
        for (record_name, edge) in &outside.before {
            let found = match (edge.value, range.before_ms()) {
                (None, Some(before_ms)) => {
                    let within = (before_ms, LOOK_BACK_ROWS);
                    self.newest_value(record_name, check, within, at()).await?
                }
                _ => Some(*edge),
            };
            if let Some(Edge {
                at_ms,
                value: Some(number),
            }) = found
            {
                readings.insert(record_name.clone(), Numbered { at_ms, number });
            }
        }
        Ok(readings)
    }

    /// As [`reading`](Self::reading), oldest first where it makes no difference to which rows are read.
    pub(crate) fn reading_by_time(&self) -> (Order, Option<usize>) {
        match self.take {
            Take::All => (Order::OldestFirst, None),
            Take::Latest(_) | Take::Oldest(_) => self.reading(),
        }
    }
}

struct Pouring<S> {
    at: NumberAt,
    ascending: bool,
    range: Range,
    terms: Option<TermsOfSeries>,
    outside: Outside<Number>,
    readings: BTreeMap<String, Numbered>,
    series: Option<Series>,
    seen: BTreeSet<String>,
    sink: S,
}

/// The one whose rows are being seen.
struct Series {
    record_name: String,
    holds_ms: u64,
    timeline: Timeline<Number>,
    /// The end of the range, once a row has been seen.
    end_ms: u64,
    /// The reading seen before, and the newest of all.
    reading: Option<Numbered>,
    newest_reading: Option<Numbered>,
}

impl<S: Sink> Pouring<S> {
    fn begin(&mut self, record_name: &str) -> Series {
        let before = self.outside.before.remove(record_name);
        let holds_ms = self
            .terms
            .as_ref()
            .map_or(u64::MAX, |terms| terms.holds_ms(record_name));
        let reading = self.readings.remove(record_name).filter(|_| self.ascending);
        Series {
            record_name: record_name.to_owned(),
            holds_ms,
            timeline: match self.ascending {
                true => Timeline::ascending(before),
                false => Timeline::descending(),
            },
            end_ms: 0,
            reading,
            newest_reading: reading,
        }
    }

    fn take(&mut self, at_ms: u64, number: Option<Number>, is_own: bool) -> bool {
        let Some(series) = &mut self.series else {
            return true;
        };
        if series.timeline.rows().are_none() {
            series.end_ms = self.range.end_with(at_ms);
            if !self.ascending {
                let after = self.outside.after.remove(&series.record_name);
                series.timeline.ends_with(after.unwrap_or(Edge {
                    at_ms: series.end_ms,
                    value: None,
                }));
            }
        }
        // Only what comes before the first row and after the newest can reach beyond the range.
        let window = Window {
            start_ms: self.range.start_ms.unwrap_or(0),
            end_ms: series.end_ms.max(at_ms),
        };
        let stretch = series.timeline.row(at_ms, number, is_own);
        let holds_ms = series.holds_ms;
        let goes_on = stretch.is_none_or(|stretch| self.sink.stretch(&stretch, window, holds_ms));
        if let Some(number) = number {
            self.read(Numbered { at_ms, number }, window);
        }
        goes_on
    }

    /// A reading, and what the meter has counted since the one before.
    fn read(&mut self, reading: Numbered, window: Window) {
        let Some(series) = &mut self.series else {
            return;
        };
        let beside = series.reading.replace(reading);
        let newest = series.newest_reading.get_or_insert(reading);
        if reading.at_ms >= newest.at_ms {
            *newest = reading;
        }
        let Some(beside) = beside else {
            return;
        };
        let (older, newer) = match self.ascending {
            true => (beside, reading),
            false => (reading, beside),
        };
        self.sink.count(older, newer);
        let between = Window {
            start_ms: older.at_ms,
            end_ms: newer.at_ms,
        };
        self.sink.meter(between.within(window));
    }

    fn end_series(&mut self) {
        let Some(mut series) = self.series.take() else {
            return;
        };
        if let Some(window) = self.range.of_series(series.timeline.rows()) {
            let after = self
                .outside
                .after
                .remove(&series.record_name)
                .unwrap_or(Edge {
                    at_ms: window.end_ms,
                    value: None,
                });
            if let Some(stretch) = series.timeline.end(after) {
                self.sink.stretch(&stretch, window, series.holds_ms);
            }
            if let Some(newest) = series.newest_reading {
                let held = Window {
                    start_ms: newest.at_ms,
                    end_ms: newest.at_ms.saturating_add(series.holds_ms),
                };
                self.sink.meter(held.within(window));
            }
            self.sink.end_series(&series.record_name, window);
        }
        self.seen.insert(series.record_name);
    }

    /// Series without rows in the range are those of which something was in force when it began.
    fn end(&mut self) {
        self.end_series();
        let names: Vec<String> = self.outside.before.keys().cloned().collect();
        for record_name in names {
            if !self.seen.contains(&record_name) {
                let series = self.begin(&record_name);
                self.series = Some(series);
                self.end_series();
            }
        }
    }
}

impl<S: Sink> Look for Pouring<S> {
    fn bind(&mut self, projection: &mut Projection) {
        self.at.bind(projection);
    }

    fn begin_series(&mut self, record_name: &str) {
        self.end_series();
        let series = self.begin(record_name);
        self.series = Some(series);
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        let number = self.at.value(row, scalars);
        let goes_on = self.take(row.stored_at, number, true);
        match self.sink.row(row.stored_at, number, self.ascending) && goes_on {
            true => Visit::Continue,
            false => Visit::Stop,
        }
    }

    fn left_out(&mut self, stored_at: u64) -> Visit {
        match self.take(stored_at, None, false) {
            true => Visit::Continue,
            false => Visit::Stop,
        }
    }
}
