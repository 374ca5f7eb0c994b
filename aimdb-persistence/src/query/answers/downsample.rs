//! Few points that look like many: for plots.

use std::cmp::Ordering;

use crate::aggregate::summary::Sample;
use crate::declaration::field::Field;
use crate::declaration::numeric::Numeric;
use crate::query::answers::numbers::NumberAt;
use crate::query::answers::rows::Persisted;
use crate::query::answers::thinned::Thinned;
use crate::query::decoding::Check;
use crate::query::history::History;
use crate::query::look::{Decodable, Look, Reading};
use crate::query::timeline::Extract;
use aimdb_persistence_backend::json::{Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};

impl<T: Send + 'static> History<T> {
    /// At most `points` numbers of each series that look like all of them when they are drawn: peaks stay, which a mean by
    /// the hour would level. The first number and the last one are among them, and of four points or more so are the least and the greatest. By record name, then
    /// oldest first; a series of fewer numbers comes as it is. Rows without a number, and rows that do not decode, have no part in it.
    /// A [`limit`](Self::limit) and an [`order`](Self::order) do not count.
    ///
    /// Of twice as many buckets as there are points, the least and the greatest number are kept. These are cut into as many buckets as there are points,
    /// and of each that one is taken which makes the largest triangle with the one taken before and the mean of the bucket after: *MinMaxLTTB* (J. Van
    /// Der Donckt and others, 2023), after *largest triangle three buckets* (S. Steinarsson, "Downsampling Time Series for Visual
    /// Representation", University of Iceland, 2013). Rows are counted first; memory holds four times the points.
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
    /// async fn year(db: &impl AimDbQueryExt) -> Result<Vec<(u64, f64)>, PersistenceError> {
    ///     let celsius = Temperature::fields().celsius;
    ///     let points = Temperature::series("sf").history(db).past("1y").downsample(celsius, 500).await?;
    ///     Ok(points.into_iter().map(|point| (point.stored_at, point.value)).collect())
    /// }
    /// ```
    ///
    /// # Errors
    /// As every answer of a [`History`].
    pub async fn downsample<V: Numeric>(
        self,
        field: Field<T, V>,
        points: usize,
    ) -> Result<Vec<Persisted<f64>>, PersistenceError> {
        let check = Check::of::<T>(self.from_stored);
        let question = self.question;
        let (order, limit_per_series) = question.reading_by_time();
        let reading = |are_told| Reading {
            decodable: Some(Decodable {
                check: &check,
                are_told,
            }),
            ..question.read_as(order, limit_per_series)
        };
        let at = || NumberAt::new(field.path());
        let both = async {
            let count = Count {
                at: at(),
                numbers: Vec::new(),
            };
            let counted = question.look(reading(false), count).await?;
            let thin = Thin {
                at: at(),
                points,
                counted: counted.numbers,
                record_name: String::new(),
                thinned: Thinned::of(0, 0),
                kept: Vec::new(),
            };
            let mut thin = question.look(reading(true), thin).await?;
            thin.end_series();
            Ok(thin.kept)
        };
        let mut kept = question.in_time(both).await?;
        if order == Order::NewestFirst {
            kept.reverse();
            kept.sort_by(|a, b| a.record_name.cmp(&b.record_name));
        }
        Ok(kept)
    }
}

/// How many numbers each series has.
struct Count {
    at: NumberAt,
    numbers: Vec<(String, usize)>,
}

impl Look for Count {
    fn bind(&mut self, projection: &mut Projection) {
        self.at.bind(projection);
    }

    fn begin_series(&mut self, record_name: &str) {
        self.numbers.push((record_name.to_owned(), 0));
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        if self.at.value(row, scalars).is_some()
            && let Some((_, numbers)) = self.numbers.last_mut()
        {
            *numbers += 1;
        }
        Visit::Continue
    }
}

struct Thin {
    at: NumberAt,
    points: usize,
    /// By record name, in order.
    counted: Vec<(String, usize)>,
    record_name: String,
    thinned: Thinned,
    kept: Vec<Persisted<f64>>,
}

impl Thin {
    fn end_series(&mut self) {
        let kept = std::mem::replace(&mut self.thinned, Thinned::of(0, 0)).end();
        self.kept.extend(kept.into_iter().map(|sample| Persisted {
            record_name: self.record_name.clone(),
            stored_at: sample.at_ms,
            value: sample.value,
        }));
    }
}

impl Look for Thin {
    fn bind(&mut self, projection: &mut Projection) {
        self.at.bind(projection);
    }

    fn begin_series(&mut self, record_name: &str) {
        self.end_series();
        let numbers = numbers_of(&self.counted, |name| (**name).cmp(record_name));
        record_name.clone_into(&mut self.record_name);
        self.thinned = Thinned::of(numbers, self.points);
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        if let Some(number) = self.at.value(row, scalars) {
            let sample = Sample::filled(row.stored_at, number.to_f64());
            self.thinned.take(sample);
        }
        Visit::Continue
    }
}

/// How many numbers a series has, of all series in order. Where there are many series, looking at each of them would take
/// longer than the rows.
fn numbers_of<N>(counted: &[(N, usize)], mut compare: impl FnMut(&N) -> Ordering) -> usize {
    let found = counted.binary_search_by(|(name, _)| compare(name));
    found.map_or(0, |index| counted[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_forty_thousand_series_one_is_found_by_few_comparisons() {
        let counted: Vec<_> = (0..40_000).map(|name| (2 * name, 7 * name)).collect();
        for name in 0..40_000 {
            let mut comparisons = 0;
            let numbers = numbers_of(&counted, |other| {
                comparisons += 1;
                other.cmp(&(2 * name))
            });
            assert_eq!(numbers, 7 * name);
            assert!(comparisons <= 17, "{comparisons}");
            assert_eq!(numbers_of(&counted, |other| other.cmp(&(2 * name + 1))), 0);
        }
    }
}
