//! Few points that look like many: for plots.

use crate::aggregate::summary::Sample;
use crate::declaration::field::Field;
use crate::declaration::numeric::Numeric;
use crate::query::answers::aggregate::NumberAt;
use crate::query::answers::rows::Persisted;
use crate::query::history::History;
use crate::query::look::Look;
use aimdb_persistence_backend::json::{Projection, Scalar};
use aimdb_persistence_backend::{Order, PersistenceError, Row, Visit};

impl<T: Send + 'static> History<T> {
    /// At most `points` numbers of each series that look like all of them when they are drawn: peaks stay, which a mean by
    /// the hour would level. By record name, then oldest first; a series of fewer numbers comes as it is. Rows without a
    /// number have no part in it. A [`limit`](Self::limit) and an [`order`](Self::order) do not count.
    ///
    /// The rows are cut into as many buckets as there are points, and of each bucket that row is taken which makes the
    /// largest triangle with the one taken before and the mean of the bucket after: *largest triangle three buckets*,
    /// S. Steinarsson, "Downsampling Time Series for Visual Representation", University of Iceland, 2013. They are
    /// counted first; memory holds two buckets.
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
    ///     let points = Temperature::series("sf").history(db).last("1y").downsample(celsius, 500).await?;
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
        let question = self.question;
        let (order, limit_per_series) = question.reading_by_time();
        let at = || NumberAt::new(field.path());
        let both = async {
            let reading = question.read_as(order, limit_per_series);
            let count = Count {
                at: at(),
                numbers: Vec::new(),
            };
            let counted = question.look(reading, count).await?;
            let thin = Thin {
                at: at(),
                points,
                counted: counted.numbers,
                record: String::new(),
                triangles: Triangles::of(0, 0),
                kept: Vec::new(),
            };
            let mut thin = question.look(reading, thin).await?;
            thin.end_series();
            Ok(thin.kept)
        };
        let mut kept = question.in_time(both).await?;
        if order == Order::NewestFirst {
            kept.reverse();
            kept.sort_by(|a, b| a.record.cmp(&b.record));
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
        if self.at.sample(row, scalars).is_some()
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
    record: String,
    triangles: Triangles,
    kept: Vec<Persisted<f64>>,
}

impl Thin {
    fn end_series(&mut self) {
        let kept = std::mem::replace(&mut self.triangles, Triangles::of(0, 0)).end();
        self.kept.extend(kept.into_iter().map(|sample| Persisted {
            record: self.record.clone(),
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
        let counted = self
            .counted
            .iter()
            .find(|(record, _)| record == record_name);
        let numbers = counted.map_or(0, |(_, numbers)| *numbers);
        record_name.clone_into(&mut self.record);
        self.triangles = Triangles::of(numbers, self.points);
    }

    fn row(&mut self, row: Row<'_>, scalars: &[Scalar<'_>]) -> Visit {
        if let Some(sample) = self.at.sample(row, scalars) {
            self.triangles.take(sample);
        }
        Visit::Continue
    }
}

/// Chooses among samples that come in order.
struct Triangles {
    numbers: usize,
    points: usize,
    seen: usize,
    kept: Vec<Sample>,
    /// The bucket of which one is to be chosen, once the next one is complete.
    bucket: Vec<Sample>,
    next: Vec<Sample>,
    last: Option<Sample>,
}

impl Triangles {
    fn of(numbers: usize, points: usize) -> Self {
        Self {
            numbers,
            points,
            seen: 0,
            kept: Vec::new(),
            bucket: Vec::new(),
            next: Vec::new(),
            last: None,
        }
    }

    /// Which bucket, of those between the first sample and the last, the `n`th sample lies in.
    fn bucket_of(&self, n: usize) -> usize {
        let (inner, buckets) = (self.numbers - 2, self.points - 2);
        ((n - 1) as u128 * buckets as u128 / inner as u128) as usize
    }

    /// Of samples that have come since they were counted nothing is seen.
    fn take(&mut self, sample: Sample) {
        let n = self.seen;
        if n >= self.numbers {
            return;
        }
        self.seen += 1;
        if self.numbers <= self.points || n == 0 && self.points > 0 {
            self.kept.push(sample);
            return;
        }
        if self.points < 3 || n + 1 == self.numbers {
            self.last = Some(sample);
            return;
        }
        if n > 1 && self.bucket_of(n) != self.bucket_of(n - 1) {
            self.choose();
            self.bucket = std::mem::take(&mut self.next);
        }
        self.next.push(sample);
    }

    /// One of the bucket before the next.
    fn choose(&mut self) {
        let Some(mean) = mean(&self.next).or(self.last) else {
            return;
        };
        let Some(before) = self.kept.last().copied() else {
            return;
        };
        let largest = self
            .bucket
            .iter()
            .map(|sample| (triangle(before, *sample, mean), *sample))
            .reduce(|one, other| if other.0 > one.0 { other } else { one });
        self.kept.extend(largest.map(|(_, sample)| sample));
    }

    fn end(mut self) -> Vec<Sample> {
        if self.numbers <= self.points {
            return self.kept;
        }
        if self.points >= 3 {
            self.choose();
            self.bucket = std::mem::take(&mut self.next);
            self.choose();
        }
        if self.points > 1 {
            self.kept.extend(self.last);
        }
        self.kept
    }
}

fn mean(samples: &[Sample]) -> Option<Sample> {
    let first = samples.first()?;
    let count = samples.len() as f64;
    let since = |sample: &Sample| sample.at_ms.abs_diff(first.at_ms) as f64;
    let away_ms = (samples.iter().map(since).sum::<f64>() / count) as u64;
    let is_later = samples.last().is_some_and(|last| last.at_ms >= first.at_ms);
    Some(Sample {
        at_ms: match is_later {
            true => first.at_ms.saturating_add(away_ms),
            false => first.at_ms.saturating_sub(away_ms),
        },
        value: samples.iter().map(|sample| sample.value / count).sum(),
    })
}

/// Twice its area.
fn triangle(before: Sample, sample: Sample, after: Sample) -> f64 {
    let x = |other: Sample| other.at_ms as f64 - before.at_ms as f64;
    let y = |other: Sample| other.value - before.value;
    (x(sample) * y(after) - x(after) * y(sample)).abs()
}
