//! A numeric field, summed up: over each series, or over all of them.

use std::marker::PhantomData;

use aimdb_persistence_backend::PersistenceError;
use aimdb_persistence_backend::json::Number;
use serde::Serialize;

use crate::aggregate::percentiles::Values;
use crate::aggregate::summary::Summary;
use crate::declaration::field::Field;
use crate::declaration::field_path::FieldPath;
use crate::declaration::numeric::Numeric;
use crate::query::answers::numbers::Sink;
use crate::query::decoding::Check;
use crate::query::history::{History, Question};
use crate::query::moment::TimeSpan;
use aimdb_persistence_packed::statistics::Reading;
use aimdb_persistence_packed::statistics::{Stretch, Window};

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
///     let week = Temperature::history(db).past("7d");
///     for station in week.aggregate(celsius).percentiles(&[95.0]).per_series().await? {
///         let week = station.summary;
///         println!("{}: {:?} to {:?} °C, 95 % below {:?}", station.record_name, week.min(), week.max(), week.percentile(95.0)?);
///     }
///     Ok(())
/// }
/// ```
#[must_use = "a query does nothing until it is answered: `.combined().await`, for one"]
pub struct Aggregate<T> {
    pub(crate) question: Question,
    pub(crate) path: FieldPath,
    pub(crate) percents: Vec<f64>,
    pub(crate) check: Check,
    pub(crate) in_force: bool,
    of: PhantomData<fn() -> T>,
}

/// What a field says over one series.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SeriesSummary {
    /// The record's key.
    pub record_name: String,
    /// What it says.
    pub summary: Summary,
}

impl<T: Send + 'static> History<T> {
    /// Sums a numeric field up: count, extremes, sum, mean, standard deviation, first and last, means over time, what a meter has counted, percentiles,
    /// all in one pass over the rows and in bounded memory. [`Summary`] says what is of the rows and what of the time.
    ///
    /// Rows that do not decode are left out, as [`values`](Self::values) leaves them out, and [`strict`](Self::strict) makes them an error.
    /// A [`limit`](Self::limit) and an [`order`](Self::order) do not count. Of the [latest](Self::latest) rows, the time of the
    /// answer begins with the first of them; of the [oldest](Self::oldest), it ends with the last.
    pub fn aggregate<V: Numeric>(self, field: Field<T, V>) -> Aggregate<T> {
        Aggregate {
            check: Check::of::<T>(self.from_stored),
            question: self.question,
            path: field.path(),
            percents: Vec::new(),
            in_force: false,
            of: PhantomData,
        }
    }
}

impl<T: Send + 'static> Aggregate<T> {
    /// Wants percentiles as well, each in percent: 50 is the median, 0 the least and 100 the greatest number. What lies between 0 and 1 is refused: it is
    /// a fraction, and 95 is meant by 0.95.
    ///
    /// Of up to 100,000 numbers they are exact; of more they come from narrow bins, off by a thousandth at most, whatever the numbers'
    /// size: [`percentile_error`](Summary::percentile_error) says so. The 100,000 count for each series, or bucket, or all series [`combined`](Self::combined).
    pub fn percentiles(mut self, percents: &[f64]) -> Self {
        for percent in percents {
            if *percent > 0.0 && *percent < 1.0 {
                let meant = percent * 100.0;
                self.question.refuse(format!(
                    "{percent} looks like a fraction, and percentiles are in percent: write {meant} for it"
                ));
            } else if !(0.0..=100.0).contains(percent) {
                let reason = format!("{percent} is no percentile: they lie between 0 and 100");
                self.question.refuse(reason);
            }
        }
        self.percents.extend_from_slice(percents);
        self
    }

    /// Has what was in force at the start of the range, or of each bucket, among the extremes: the greatest level of a tank today may be that of yesterday's last
    /// row.
    pub fn in_force(mut self) -> Self {
        self.in_force = true;
        self
    }

    /// Each series by itself, by record name. A series without rows in question is left out, unless something of it was in force
    /// during the range.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn per_series(self) -> Result<Vec<SeriesSummary>, PersistenceError> {
        let mut summing = self.sum(false).await?;
        summing
            .series
            .sort_by(|a, b| a.record_name.cmp(&b.record_name));
        Ok(summing.series)
    }

    /// All series together. Means over time are those over the times of all of them, and what meters have counted is
    /// the sum over the meters.
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn combined(self) -> Result<Summary, PersistenceError> {
        let mut summing = self.sum(true).await?;
        let mut total = summing.total;
        total.percentiles = summing.values.take_percentiles();
        Ok(total)
    }

    async fn sum(self, combined: bool) -> Result<Summing, PersistenceError> {
        let summing = Summing {
            combined,
            in_force: self.in_force,
            summary: Summary::default(),
            values: Values::wanting(&self.percents),
            series: Vec::new(),
            total: Summary::default(),
        };
        self.question.pour(self.path, &self.check, summing).await
    }
}

impl Summary {
    /// What a meter has counted per `"1h"`, or another [`TimeSpan`]: its [increase](Self::increase) over the known time of the range, which is that between two
    /// readings and that for which the last one holds. `None` where there is none.
    ///
    /// # Errors
    /// [`InvalidQuery`](PersistenceError::InvalidQuery) for what is no length of time.
    pub fn rate(&self, per: impl TimeSpan) -> Result<Option<f64>, PersistenceError> {
        let invalid = |reason| PersistenceError::InvalidQuery { reason };
        let per_ms = per.length_ms().map_err(invalid)?;
        Ok(self.increase_per(per_ms))
    }

    /// Adds another series; percentiles are those of none.
    pub(crate) fn beside(&mut self, other: &Self) {
        self.of.beside(&other.of);
        self.range_ms = self.range_ms.saturating_add(other.range_ms);
        self.metered_ms = self.metered_ms.saturating_add(other.metered_ms);
    }

    /// Has the value in force at the start of the window among the extremes.
    pub(crate) fn include_held(
        &mut self,
        stretch: &Stretch<Number>,
        window: Window,
        holds_ms: u64,
    ) {
        let held = stretch.held(holds_ms);
        let was_in_force = held.start_ms < window.start_ms
            && (held.end_ms > window.start_ms
                || window.length_ms() == 0 && held.end_ms == window.start_ms);
        if was_in_force {
            self.of.include(Reading {
                at_ms: stretch.from_ms,
                number: stretch.value,
            });
        }
    }
}

struct Summing {
    combined: bool,
    in_force: bool,
    summary: Summary,
    values: Values,
    series: Vec<SeriesSummary>,
    total: Summary,
}

impl Sink for Summing {
    fn row(&mut self, at_ms: u64, number: Option<Number>, ascending: bool) -> bool {
        match number {
            Some(number) => {
                self.summary.of.take(Reading { at_ms, number }, ascending);
                self.values.add(number.to_f64());
            }
            None => self.summary.of.skip(),
        }
        true
    }

    fn stretch(&mut self, stretch: &Stretch<Number>, window: Window, holds_ms: u64) -> bool {
        self.summary.of.stretch(stretch, window, holds_ms);
        if self.in_force {
            self.summary.include_held(stretch, window, holds_ms);
        }
        true
    }

    fn count(&mut self, older: Reading, newer: Reading) {
        self.summary.of.meter.count(older.number, newer.number);
    }

    fn meter(&mut self, window: Window) {
        self.summary.metered_ms = self.summary.metered_ms.saturating_add(window.length_ms());
    }

    fn end_series(&mut self, record_name: &str, window: Window) {
        let mut summary = std::mem::take(&mut self.summary);
        if !summary.is_known() {
            return;
        }
        summary.range_ms = window.length_ms();
        if self.combined {
            self.total.beside(&summary);
        } else {
            summary.percentiles = self.values.take_percentiles();
            let record_name = record_name.to_owned();
            self.series.push(SeriesSummary {
                record_name,
                summary,
            });
        }
    }
}
