//! A numeric field, summed up hour by hour, or month by month.

use std::collections::BTreeMap;

use crate::aggregate::percentiles::Values;
use crate::aggregate::summary::{Sample, Summary};
#[cfg(feature = "jiff")]
use crate::aggregate::width::Calendar;
use crate::aggregate::width::Width;
use crate::query::answers::aggregate::{Aggregate, NumberAt};
#[cfg(doc)]
use crate::query::history::History;
use crate::query::look::Look;
use crate::query::moment::TimeSpan;
use aimdb_persistence_backend::json::{Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};

/// An answer has no more buckets than this: they are all in memory.
const MOST_BUCKETS: usize = 100_000;

/// What a field says over one stretch of time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Bucket {
    /// The record's key; `None` where all series are combined.
    pub record: Option<String>,
    /// When it begins, in Unix milliseconds.
    pub start_ms: u64,
    /// When the next one begins.
    pub end_ms: u64,
    /// What it says.
    pub summary: Summary,
}

/// What becomes of stretches of time without a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gaps {
    /// They are left out.
    #[default]
    Skip,
    /// They have a summary of nothing.
    Null,
    /// They hold the number before them.
    Previous,
    /// They hold what lies on a straight line between the number before and the number after, at their middle.
    Linear,
}

/// An [`Aggregate`] for each stretch of time: [`Aggregate::every`].
#[must_use = "a query does nothing until it is answered: `.per_series().await`, for one"]
pub struct Buckets<T> {
    aggregate: Aggregate<T>,
    width: Width,
    gaps: Gaps,
}

impl<T: Send + 'static> Aggregate<T> {
    /// One summary for each `"1h"`, or another [`TimeSpan`], counted from 1970 in UTC: days begin at midnight there.
    ///
    /// Between two numbers on both sides of a boundary, [`step_mean`](Summary::step_mean) and [`linear_mean`](Summary::linear_mean) go on
    /// across it.
    ///
    /// ```
    /// use aimdb_persistence::{AimDbQueryExt, Gaps, Persist, PersistenceError};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    /// #[persist(key = "temperature.{station}")]
    /// struct Temperature {
    ///     celsius: f64,
    /// }
    ///
    /// async fn yesterday(db: &impl AimDbQueryExt) -> Result<(), PersistenceError> {
    ///     let celsius = Temperature::fields().celsius;
    ///     let day = Temperature::series("sf").history(db).last("24h").aggregate(celsius);
    ///     for hour in day.every("1h").gaps(Gaps::Null).per_series().await? {
    ///         println!("{} {:?}", hour.start_ms, hour.summary.mean());
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn every(mut self, length: impl TimeSpan) -> Buckets<T> {
        let width_ms = length.bucket_ms().unwrap_or_else(|reason| {
            self.question.refuse(reason);
            1
        });
        if width_ms == 0 {
            let reason =
                "buckets of no length cannot be filled; `every` wants a length such as \"1h\"";
            self.question.refuse(reason.to_owned());
        }
        self.buckets(Width::Fixed(width_ms.max(1)))
    }

    /// One summary for each day, week, month or year of a calendar, as long as it is there: a day on which clocks are put
    /// forward has 23 hours.
    #[cfg(feature = "jiff")]
    pub fn every_calendar(self, unit: Calendar, time_zone: jiff::tz::TimeZone) -> Buckets<T> {
        self.buckets(Width::Calendar(unit, time_zone))
    }

    fn buckets(self, width: Width) -> Buckets<T> {
        Buckets {
            aggregate: self,
            width,
            gaps: Gaps::Skip,
        }
    }
}

impl<T: Send + 'static> Buckets<T> {
    /// What becomes of buckets without a number, between the first and the last one, or from [`since`](History::since) and to
    /// [`until`](History::until) where these are given.
    pub fn gaps(mut self, gaps: Gaps) -> Self {
        self.gaps = gaps;
        self
    }

    /// The buckets of each series, by record name and then by time.
    ///
    /// # Errors
    /// As every answer of a [`History`]; [`InvalidQuery`](PersistenceError::InvalidQuery) where there would be more than 100,000
    /// buckets.
    pub async fn per_series(self) -> Result<Vec<Bucket>, PersistenceError> {
        self.fill(false).await
    }

    /// The buckets of all series together, by time.
    ///
    /// # Errors
    /// As [`per_series`](Self::per_series); percentiles are those of single series, and asking for them here is an
    /// [`InvalidQuery`](PersistenceError::InvalidQuery).
    pub async fn combined(mut self) -> Result<Vec<Bucket>, PersistenceError> {
        if !self.aggregate.percents.is_empty() {
            let reason = "percentiles of combined buckets are not kept; ask for them per series, or without buckets";
            self.aggregate.question.refuse(reason.to_owned());
        }
        self.fill(true).await
    }

    async fn fill(self, combined: bool) -> Result<Vec<Bucket>, PersistenceError> {
        let question = &self.aggregate.question;
        let (order, limit_per_series) = question.reading_by_time();
        let range = (question.start_ms, question.end_ms);
        let filling = Filling {
            at: NumberAt::new(self.aggregate.path),
            ascending: order == Order::OldestFirst,
            combined,
            outline: Outline {
                width: self.width,
                gaps: self.gaps,
                range,
            },
            record: None,
            previous: None,
            open: None,
            values: Values::wanting(&self.aggregate.percents),
            of_series: BTreeMap::new(),
            total: BTreeMap::new(),
            buckets: Vec::new(),
            too_many: false,
        };
        let reading = question.read_as(order, limit_per_series);
        let mut filling = question.look(reading, filling).await?;
        filling.end_series();
        if combined {
            let total = std::mem::take(&mut filling.total);
            filling.push(None, total);
        }
        match filling.too_many {
            true => Err(too_many()),
            false => Ok(filling.buckets),
        }
    }
}

fn too_many() -> PersistenceError {
    PersistenceError::InvalidQuery {
        reason: format!(
            "the answer has more than {MOST_BUCKETS} buckets; ask for longer ones, a shorter time, or fewer series"
        ),
    }
}

type Summaries = BTreeMap<u64, Summary>;

/// Which buckets an answer has.
struct Outline {
    width: Width,
    gaps: Gaps,
    range: (Option<u64>, Option<u64>),
}

struct Filling {
    at: NumberAt,
    ascending: bool,
    combined: bool,
    outline: Outline,
    record: Option<String>,
    previous: Option<Sample>,
    /// The bucket that the last number went into.
    open: Option<(u64, u64)>,
    values: Values,
    of_series: Summaries,
    total: Summaries,
    buckets: Vec<Bucket>,
    too_many: bool,
}

impl Filling {
    fn bounds(&self, at_ms: u64) -> Option<(u64, u64)> {
        match self.open {
            Some((start, end)) if start <= at_ms && at_ms < end => self.open,
            _ => self.outline.width.bounds(at_ms),
        }
    }

    fn close(&mut self) {
        let Some((start, _)) = self.open.take() else {
            return;
        };
        if let Some(summary) = self.of_series.get_mut(&start) {
            summary.settle(&mut self.values);
        }
    }

    fn end_series(&mut self) {
        self.close();
        self.previous = None;
        let summaries = std::mem::take(&mut self.of_series);
        let Some(record) = self.record.take() else {
            return;
        };
        if self.combined {
            for (start, summary) in summaries {
                self.total.entry(start).or_default().merge(&summary);
            }
        } else {
            self.push(Some(record), summaries);
        }
    }

    fn push(&mut self, record: Option<String>, summaries: Summaries) {
        let room = MOST_BUCKETS - self.buckets.len().min(MOST_BUCKETS);
        match self.outline.buckets(record, summaries, room) {
            Some(buckets) => self.buckets.extend(buckets),
            None => self.too_many = true,
        }
    }

    fn weigh(&mut self, older: Sample, newer: Sample) {
        let (Some(first), Some(last)) = (self.bounds(older.at_ms), self.bounds(newer.at_ms)) else {
            return;
        };
        if first == last {
            let summary = self.of_series.entry(first.0).or_default();
            return summary.weigh(older, newer, older.value);
        }
        let across = [
            (first.0, older, between(older, newer, first.1)),
            (last.0, between(older, newer, last.0), newer),
        ];
        for (start, from, to) in across {
            let summary = self.of_series.entry(start).or_default();
            summary.weigh(from, to, older.value);
        }
    }
}

/// On the straight line from one to the other.
fn between(older: Sample, newer: Sample, at_ms: u64) -> Sample {
    let length_ms = newer.at_ms.saturating_sub(older.at_ms).max(1) as f64;
    let part = at_ms.saturating_sub(older.at_ms) as f64 / length_ms;
    Sample {
        at_ms,
        value: older.value + (newer.value - older.value) * part,
    }
}

impl Look for Filling {
    fn bind(&mut self, projection: &mut Projection) {
        self.at.bind(projection);
    }

    fn begin_series(&mut self, record_name: &str) {
        self.end_series();
        self.record = Some(record_name.to_owned());
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        // Beyond all calendars there are no buckets.
        let Some(bounds) = self.bounds(row.stored_at) else {
            return Visit::Continue;
        };
        if self.open != Some(bounds) {
            self.close();
            self.open = Some(bounds);
        }
        let summary = self.of_series.entry(bounds.0).or_default();
        let Some(sample) = self.at.sample(row, scalars) else {
            summary.skip();
            return Visit::Continue;
        };
        summary.add(sample, self.ascending);
        self.values.add(sample.value);
        if let Some(previous) = self.previous.replace(sample) {
            match self.ascending {
                true => self.weigh(previous, sample),
                false => self.weigh(sample, previous),
            }
        }
        let buckets = self.buckets.len() + self.of_series.len().max(self.total.len());
        self.too_many |= buckets > MOST_BUCKETS;
        match self.too_many {
            true => Visit::Stop,
            false => Visit::Continue,
        }
    }
}

impl Outline {
    /// `None` where there is no room for so many.
    fn buckets(
        &self,
        record: Option<String>,
        mut summaries: Summaries,
        room: usize,
    ) -> Option<Vec<Bucket>> {
        let mut buckets = Vec::new();
        let mut push = |(start_ms, end_ms), summary| {
            buckets.push(Bucket {
                record: record.clone(),
                start_ms,
                end_ms,
                summary,
            });
            (buckets.len() <= room).then_some(())
        };
        if self.gaps == Gaps::Skip {
            for (start, summary) in summaries {
                if summary.count() > 0 {
                    push(self.width.bounds(start)?, summary)?;
                }
            }
            return Some(buckets);
        }
        let ends = |at_ms| self.width.bounds(at_ms).map(|(start, _)| start);
        let first = self.range.0.and_then(ends).into_iter();
        let first = first.chain(summaries.keys().next().copied()).min();
        let last = self.range.1.and_then(ends).into_iter();
        let last = last.chain(summaries.keys().next_back().copied()).max();
        let (Some(mut start), Some(last)) = (first, last) else {
            return Some(buckets);
        };
        let mut before = None;
        while start <= last {
            let bounds = self.width.bounds(start)?;
            let found = summaries.remove(&start).filter(|found| found.count() > 0);
            let summary = found.unwrap_or_else(|| {
                let after = || summaries.values().find_map(Summary::first);
                self.filled(before, after, bounds)
            });
            before = summary.last().or(before);
            push(bounds, summary)?;
            start = bounds.1;
        }
        Some(buckets)
    }

    fn filled(
        &self,
        before: Option<Sample>,
        after: impl Fn() -> Option<Sample>,
        (start_ms, end_ms): (u64, u64),
    ) -> Summary {
        let middle_ms = start_ms.midpoint(end_ms);
        let sample = match self.gaps {
            Gaps::Skip | Gaps::Null => None,
            Gaps::Previous => before,
            Gaps::Linear => before
                .zip(after())
                .map(|(before, after)| between(before, after, middle_ms)),
        };
        sample.map_or_else(Summary::default, |Sample { value, .. }| {
            Summary::filled_with(Sample {
                at_ms: middle_ms,
                value,
            })
        })
    }
}
