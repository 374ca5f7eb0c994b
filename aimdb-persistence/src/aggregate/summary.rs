//! What can be said of many numbers at once.

use std::fmt::{self, Debug};

use crate::aggregate::percentiles::Values;

/// A number and its time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Unix milliseconds.
    pub at_ms: u64,
    /// The number.
    pub value: f64,
}

/// What a numeric field says over many rows. Rows in which it holds no number (`null`, missing, a text) are counted, and
/// have no part in anything else.
#[derive(Clone, Default, PartialEq)]
pub struct Summary {
    count: u64,
    without_value: u64,
    min: Option<f64>,
    max: Option<f64>,
    sum: f64,
    /// What rounding has taken from the sum.
    compensation: f64,
    mean: f64,
    squared_deviations: f64,
    first: Option<Sample>,
    last: Option<Sample>,
    step_area: f64,
    linear_area: f64,
    weighted_ms: f64,
    pub(crate) percentiles: Vec<(f64, f64)>,
}

impl Summary {
    /// How many rows hold a number.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many rows hold none.
    pub fn without_value(&self) -> u64 {
        self.without_value
    }

    /// The least of the numbers; `None` where there is none, as for all that follow.
    pub fn min(&self) -> Option<f64> {
        self.min
    }

    /// The greatest.
    pub fn max(&self) -> Option<f64> {
        self.max
    }

    /// Their sum; 0 where there is none. What rounding takes from it is made up for (A. Neumaier, 1974).
    pub fn sum(&self) -> f64 {
        self.sum + self.compensation
    }

    /// Their mean: every row counts the same, whatever time lies between.
    pub fn mean(&self) -> Option<f64> {
        match self.count {
            0 => self.first.map(|first| first.value),
            count => Some(self.sum() / count as f64),
        }
    }

    /// How far they scatter around the mean: the standard deviation of a sample, which two numbers are the least for
    /// (B. P. Welford, 1962).
    pub fn standard_deviation(&self) -> Option<f64> {
        let degrees = self.count.checked_sub(1).filter(|degrees| *degrees > 0)?;
        Some((self.squared_deviations / degrees as f64).sqrt())
    }

    /// The oldest.
    pub fn first(&self) -> Option<Sample> {
        self.first
    }

    /// The newest.
    pub fn last(&self) -> Option<Sample> {
        self.last
    }

    /// By how much the newest exceeds the oldest: what a meter has counted.
    pub fn delta(&self) -> Option<f64> {
        Some(self.last?.value - self.first?.value)
    }

    /// The mean over time, where each number holds until the next one comes: of a state, or what is stored on change.
    pub fn step_mean(&self) -> Option<f64> {
        self.mean_over_time(self.step_area)
    }

    /// The mean over time, where what is measured moves in a straight line from one number to the next.
    pub fn linear_mean(&self) -> Option<f64> {
        self.mean_over_time(self.linear_area)
    }

    /// Without any time between them, the numbers count the same.
    fn mean_over_time(&self, area: f64) -> Option<f64> {
        match self.weighted_ms > 0.0 {
            true => Some(area / self.weighted_ms),
            false => self.mean(),
        }
    }

    /// A percentile that was [asked for](crate::query::history::Aggregate::percentiles): the least number that so many percent of the numbers do not
    /// exceed (nearest rank).
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let known = self.percentiles.iter();
        known
            .into_iter()
            .find(|(known, _)| *known == percent)
            .map(|(_, value)| *value)
    }

    /// As if there were one number, though there is none.
    pub(crate) fn filled_with(sample: Sample) -> Self {
        Self {
            min: Some(sample.value),
            max: Some(sample.value),
            first: Some(sample),
            last: Some(sample),
            ..Self::default()
        }
    }

    pub(crate) fn skip(&mut self) {
        self.without_value += 1;
    }

    /// Takes a number in; within a series they come in order of time, in either direction.
    pub(crate) fn add(&mut self, sample: Sample, ascending: bool) {
        let value = sample.value;
        self.count += 1;
        self.min = Some(self.min.map_or(value, |min| min.min(value)));
        self.max = Some(self.max.map_or(value, |max| max.max(value)));
        self.add_to_sum(value);
        let deviation = value - self.mean;
        self.mean += deviation / self.count as f64;
        self.squared_deviations += deviation * (value - self.mean);
        let (near, far) = match ascending {
            true => (&mut self.first, &mut self.last),
            false => (&mut self.last, &mut self.first),
        };
        near.get_or_insert(sample);
        *far = Some(sample);
    }

    fn add_to_sum(&mut self, value: f64) {
        let sum = self.sum + value;
        let lost = match self.sum.abs() >= value.abs() {
            true => (self.sum - sum) + value,
            false => (value - sum) + self.sum,
        };
        // Of an infinite sum nothing is left to make up for.
        self.compensation += if lost.is_finite() { lost } else { 0.0 };
        self.sum = sum;
    }

    /// The time between two samples, through which a state may hold.
    pub(crate) fn weigh(&mut self, older: Sample, newer: Sample, state: f64) {
        let length_ms = newer.at_ms.saturating_sub(older.at_ms) as f64;
        self.step_area += state * length_ms;
        self.linear_area += f64::midpoint(older.value, newer.value) * length_ms;
        self.weighted_ms += length_ms;
    }

    /// Adds what is known of other series; percentiles are those of none.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.without_value += other.without_value;
        self.step_area += other.step_area;
        self.linear_area += other.linear_area;
        self.weighted_ms += other.weighted_ms;
        if other.count == 0 {
            return;
        }
        // T. F. Chan, G. H. Golub and R. J. LeVeque, 1979.
        let (own, others) = (self.count as f64, other.count as f64);
        let deviation = other.mean - self.mean;
        let both = own + others;
        self.squared_deviations +=
            other.squared_deviations + deviation * deviation * own * others / both;
        self.mean += deviation * others / both;
        self.count += other.count;
        self.min = merged(self.min, other.min, f64::min);
        self.max = merged(self.max, other.max, f64::max);
        self.add_to_sum(other.sum);
        self.add_to_sum(other.compensation);
        let earlier =
            |one: Sample, other: Sample| if other.at_ms < one.at_ms { other } else { one };
        let later = |one: Sample, other: Sample| if other.at_ms >= one.at_ms { other } else { one };
        self.first = merged(self.first, other.first, earlier);
        self.last = merged(self.last, other.last, later);
    }

    pub(crate) fn settle(&mut self, values: &mut Values) {
        self.percentiles = values.take_percentiles();
    }
}

/// What it says, and not how it is kept.
impl Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summary")
            .field("count", &self.count)
            .field("min", &self.min)
            .field("max", &self.max)
            .field("mean", &self.mean())
            .field("standard_deviation", &self.standard_deviation())
            .field("first", &self.first)
            .field("last", &self.last)
            .field("percentiles", &self.percentiles)
            .finish_non_exhaustive()
    }
}

fn merged<X>(one: Option<X>, other: Option<X>, both: impl Fn(X, X) -> X) -> Option<X> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    }
}
