//! A numeric field, summed up: over each series, or over all of them.

use std::marker::PhantomData;

use crate::aggregate::percentiles::Values;
use crate::aggregate::summary::{Sample, Summary};
use crate::declaration::field::Field;
use crate::declaration::field_path::FieldPath;
use crate::declaration::numeric::Numeric;
use crate::query::history::{History, Question};
use crate::query::look::Look;
use aimdb_persistence_backend::json::{Number, Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};

/// A question for what a numeric field says over many rows: [`History::aggregate`].
///
/// ```
/// use aimdb_persistence::{AimDbQueryExt, Persist, PersistenceError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
/// #[persist(key = "temperature.{station}")]
/// struct Temperature {
///     celsius: f64,
/// }
///
/// async fn last_week(db: &impl AimDbQueryExt) -> Result<(), PersistenceError> {
///     let celsius = Temperature::fields().celsius;
///     let week = Temperature::history(db).last("7d");
///     for station in week.aggregate(celsius).percentiles(&[95.0]).per_series().await? {
///         let week = station.summary;
///         println!("{}: {:?} to {:?} °C, 95 % below {:?}", station.record, week.min(), week.max(), week.percentile(95.0));
///     }
///     Ok(())
/// }
/// ```
#[must_use = "a query does nothing until it is answered: `.combined().await`, for one"]
pub struct Aggregate<T> {
    pub(crate) question: Question,
    pub(crate) path: FieldPath,
    pub(crate) percents: Vec<f64>,
    of: PhantomData<fn() -> T>,
}

/// What a field says over one series.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeriesSummary {
    /// The record's key.
    pub record: String,
    /// What it says.
    pub summary: Summary,
}

impl<T: Send + 'static> History<T> {
    /// Sums a numeric field up: count, extremes, sum, mean, standard deviation, first and last, means over time, percentiles,
    /// all in one pass over the rows and in bounded memory. A [`limit`](Self::limit) and an [`order`](Self::order) do not count.
    pub fn aggregate<V: Numeric>(self, field: Field<T, V>) -> Aggregate<T> {
        Aggregate {
            question: self.question,
            path: field.path(),
            percents: Vec::new(),
            of: PhantomData,
        }
    }
}

impl<T: Send + 'static> Aggregate<T> {
    /// Wants percentiles as well, each between 0 and 100: 50 is the median. Of up to 100,000 numbers they are exact; of more
    /// they come from a sketch (DDSketch: C. Masson, J. E. Rim and H. K. Lee, 2019), off by a thousandth at most.
    pub fn percentiles(mut self, percents: &[f64]) -> Self {
        if let Some(percent) = percents.iter().find(|p| !(0.0..=100.0).contains(*p)) {
            let reason = format!("{percent} is no percentile: they lie between 0 and 100");
            self.question.refuse(reason);
        }
        self.percents.extend_from_slice(percents);
        self
    }

    /// Each series by itself, by record name. A series without rows in question is left out.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn per_series(self) -> Result<Vec<SeriesSummary>, PersistenceError> {
        let mut summing = self.sum(false).await?;
        summing.end_series();
        Ok(summing.series)
    }

    /// All series together. Means over time are those over the times of all of them.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn combined(self) -> Result<Summary, PersistenceError> {
        let mut summing = self.sum(true).await?;
        summing.end_series();
        let mut total = summing.total;
        total.settle(&mut summing.values);
        Ok(total)
    }

    async fn sum(self, combined: bool) -> Result<Summing, PersistenceError> {
        let (order, limit_per_series) = self.question.reading_by_time();
        let summing = Summing {
            at: NumberAt::new(self.path),
            ascending: order == Order::OldestFirst,
            combined,
            record: None,
            summary: Summary::default(),
            previous: None,
            values: Values::wanting(&self.percents),
            series: Vec::new(),
            total: Summary::default(),
        };
        let reading = self.question.read_as(order, limit_per_series);
        self.question.look(reading, summing).await
    }
}

impl Question {
    /// As [`reading`](Self::reading), oldest first where it makes no difference to which rows are read.
    pub(crate) fn reading_by_time(&self) -> (Order, Option<usize>) {
        match self.take {
            crate::query::history::Take::All => (Order::OldestFirst, None),
            crate::query::history::Take::Latest(_) | crate::query::history::Take::Oldest(_) => {
                self.reading()
            }
        }
    }
}

/// Where a number lies.
pub(crate) struct NumberAt {
    path: FieldPath,
    slot: usize,
}

impl NumberAt {
    pub(crate) fn new(path: FieldPath) -> Self {
        Self { path, slot: 0 }
    }

    pub(crate) fn bind(&mut self, projection: &mut Projection) {
        self.slot = self.path.slot_in(projection);
    }

    pub(crate) fn sample(&self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Option<Sample> {
        let value = match scalars.get(self.slot)? {
            Scalar::Number(Number::Float(value)) => *value,
            Scalar::Number(Number::Integer(value)) => *value as f64,
            _ => return None,
        };
        Some(Sample {
            at_ms: row.stored_at,
            value,
        })
    }
}

struct Summing {
    at: NumberAt,
    ascending: bool,
    combined: bool,
    record: Option<String>,
    summary: Summary,
    previous: Option<Sample>,
    values: Values,
    series: Vec<SeriesSummary>,
    total: Summary,
}

impl Summing {
    fn end_series(&mut self) {
        self.previous = None;
        let summary = std::mem::take(&mut self.summary);
        let Some(record) = self.record.take() else {
            return;
        };
        if summary.count() + summary.without_value() == 0 {
            return;
        }
        if self.combined {
            self.total.merge(&summary);
        } else {
            let mut summary = summary;
            summary.settle(&mut self.values);
            self.series.push(SeriesSummary { record, summary });
        }
    }
}

impl Look for Summing {
    fn bind(&mut self, projection: &mut Projection) {
        self.at.bind(projection);
    }

    fn begin_series(&mut self, record_name: &str) {
        self.end_series();
        self.record = Some(record_name.to_owned());
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        let Some(sample) = self.at.sample(row, scalars) else {
            self.summary.skip();
            return Visit::Continue;
        };
        if let Some(previous) = self.previous.replace(sample) {
            match self.ascending {
                true => self.summary.weigh(previous, sample, previous.value),
                false => self.summary.weigh(sample, previous, sample.value),
            }
        }
        self.summary.add(sample, self.ascending);
        self.values.add(sample.value);
        Visit::Continue
    }
}
