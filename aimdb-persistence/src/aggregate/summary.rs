//! What can be said of many numbers at once.

use std::fmt::{self, Debug};

use aimdb_persistence_backend::PersistenceError;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::aggregate::percentiles::Percentiles;
use aimdb_persistence_packed::statistics::{Accumulator, Reading};
use aimdb_persistence_packed::statistics::{ExactSum, quotient};

/// A number and its time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Unix milliseconds.
    pub at_ms: u64,
    /// The number; the nearest `f64` where it has more digits than that.
    pub value: f64,
    /// The same in full, where it is written as a whole number of up to 128 bits.
    pub whole: Option<i128>,
}

impl Sample {
    pub(crate) fn of(reading: Reading) -> Self {
        Self {
            at_ms: reading.at_ms,
            value: reading.number.to_f64(),
            whole: reading.number.whole(),
        }
    }

    pub(crate) fn filled(at_ms: u64, value: f64) -> Self {
        Self {
            at_ms,
            value,
            whole: None,
        }
    }
}

/// A whole number that an `f64` has no room for comes in full.
impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sample = serializer.serialize_struct("Sample", 2)?;
        sample.serialize_field("at_ms", &self.at_ms)?;
        match self.whole.filter(|whole| whole.unsigned_abs() > 1 << 53) {
            Some(whole) => sample.serialize_field("value", &whole)?,
            None => sample.serialize_field("value", &self.value)?,
        }
        sample.end()
    }
}

/// Figures in full, of a field that holds whole numbers: [`Summary::in_whole_numbers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WholeNumbers {
    /// Their sum.
    pub sum: i128,
    /// What the last exceeds the first by.
    pub delta: i128,
    /// What a meter has counted.
    pub increase: i128,
}

/// What a numeric field says over many rows.
///
/// Rows in which it holds no number (`null`, missing, a text) are counted, and have no part in anything else.
///
/// # What is of the rows, and what is of the time
/// [`count`](Self::count), [`sum`](Self::sum), [`mean`](Self::mean), the extremes, percentiles, [`first`](Self::first),
/// [`last`](Self::last) and [`delta`](Self::delta) are those of the range's own rows. [`step_mean`](Self::step_mean),
/// [`linear_mean`](Self::linear_mean), [`increase`](Self::increase) and [`rate`](Self::rate) are over the time of the range, and begin with what was in force at its
/// start. [`known_ms`](Self::known_ms) says how much of that time is known.
///
/// # Precision
/// Sums, and what is made of them, are exact and rounded once, for all numbers that are written with up to 18 digits and
/// all whole numbers of 128 bits: they depend neither on the order of rows nor on where these lie. Of longer numbers the nearest `f64` is
/// taken. A figure beyond 2⁵³ is rounded to an `f64`; [`in_whole_numbers`](Self::in_whole_numbers) has it in full.
#[derive(Clone, Default, PartialEq)]
pub struct Summary {
    pub(crate) of: Accumulator,
    /// What a gap is filled with.
    pub(crate) filled: Option<Sample>,
    pub(crate) range_ms: u64,
    pub(crate) metered_ms: u64,
    pub(crate) percentiles: Percentiles,
}

impl Summary {
    /// How many rows hold a number.
    pub fn count(&self) -> u64 {
        self.of.count
    }

    /// How many rows hold none.
    pub fn without_value(&self) -> u64 {
        self.of.without_value
    }

    /// The least of the numbers; `None` where there is none, as for all that follow.
    pub fn min(&self) -> Option<f64> {
        self.min_sample().map(|sample| sample.value)
    }

    /// The greatest.
    pub fn max(&self) -> Option<f64> {
        self.max_sample().map(|sample| sample.value)
    }

    /// The least of the numbers with its time; of equal ones, the earliest.
    pub fn min_sample(&self) -> Option<Sample> {
        self.of.min.map(Sample::of).or(self.filled)
    }

    /// The greatest with its time; of equal ones, the earliest.
    pub fn max_sample(&self) -> Option<Sample> {
        self.of.max.map(Sample::of).or(self.filled)
    }

    /// Their sum; 0 where there is none.
    pub fn sum(&self) -> f64 {
        self.of.sum.to_f64()
    }

    /// Their mean: every row counts the same, whatever time lies between.
    pub fn mean(&self) -> Option<f64> {
        match self.of.count {
            0 => self.filled.map(|filled| filled.value),
            count => {
                let (sum, exponent) = self.of.sum.total();
                Some(quotient(&sum, &count.into(), exponent))
            }
        }
    }

    /// How far they scatter around the mean: the standard deviation of a sample, which two numbers are the least for.
    pub fn standard_deviation(&self) -> Option<f64> {
        let count = self.of.count;
        let degrees = count.checked_sub(1).filter(|degrees| *degrees > 0)?;
        // n·Σx² − (Σx)², over n·(n − 1): exact until it is rounded.
        let (sum, exponent) = self.of.sum.total();
        let (squares, of_squares) = self.of.squares.total();
        let common = of_squares.min(2 * exponent);
        let ten = num_bigint::BigInt::from(10);
        let squares = squares * count * ten.pow(of_squares.abs_diff(common));
        let sum = &sum * &sum * ten.pow((2 * exponent).abs_diff(common));
        let divisor = num_bigint::BigInt::from(count) * degrees;
        // What was rounded before it was squared may leave less than nothing.
        Some(quotient(&(squares - sum), &divisor, common).max(0.0).sqrt())
    }

    /// The oldest of the range's rows.
    pub fn first(&self) -> Option<Sample> {
        self.of.first.map(Sample::of).or(self.filled)
    }

    /// The newest of the range's rows.
    pub fn last(&self) -> Option<Sample> {
        self.of.last.map(Sample::of).or(self.filled)
    }

    /// By how much the newest of the range's rows exceeds the oldest; of several series together, the sum of that. What a meter has counted is its
    /// [`increase`](Self::increase): that begins with the reading before.
    pub fn delta(&self) -> Option<f64> {
        self.of.first.map(|_| self.of.delta().to_f64())
    }

    /// What a meter has counted: from the reading before the range to its last reading. `None` where the range has no reading.
    ///
    /// What lies between two readings is credited to the later one, so that buckets add up to the whole. The first reading
    /// ever counts nothing. A fall is that of a meter which begins anew: the new reading counts. Of several series together, it is the sum over the
    /// meters. Rows without a number, and those that a filter leaves out, are no readings; the reading before is looked
    /// for among the 1,000 rows before the range.
    pub fn increase(&self) -> Option<f64> {
        self.of.last.map(|_| self.of.meter.increase.to_f64())
    }

    /// How often a meter began anew.
    pub fn resets(&self) -> u64 {
        self.of.meter.resets
    }

    /// The increase over so many milliseconds of the known time.
    pub(crate) fn increase_per(&self, ms: u64) -> Option<f64> {
        let metered_ms = (self.metered_ms > 0).then_some(self.metered_ms)?;
        self.of.last?;
        let (increase, exponent) = self.of.meter.increase.total();
        Some(quotient(&(increase * ms), &metered_ms.into(), exponent))
    }

    /// Sum, delta and increase in full, where they are whole numbers of up to 128 bits.
    ///
    /// An `f64` holds whole numbers up to 2⁵³, some nine quadrillions: of a counter of watt-milliseconds or of nanoseconds,
    /// these are the figures to take.
    pub fn in_whole_numbers(&self) -> Option<WholeNumbers> {
        Some(WholeNumbers {
            sum: self.of.sum.whole()?,
            delta: self.of.delta().whole()?,
            increase: self.of.meter.increase.whole()?,
        })
    }

    /// The mean over the known time, where each number holds until the next row comes: of a state, or what is stored on
    /// change. It begins with what was in force at the start of the range; a row without a number ends what held. Where
    /// nothing of the time is known, it is the mean of the rows.
    pub fn step_mean(&self) -> Option<f64> {
        let steps = &self.of.steps;
        self.over_time(&steps.area, steps.known_ms)
    }

    /// The mean over time, where what is measured moves in a straight line from one number to the next: also from the row
    /// before the range, and to the row after it. Where no two numbers follow each other, it is the mean of the rows.
    pub fn linear_mean(&self) -> Option<f64> {
        let lines = &self.of.lines;
        // The area is kept twice.
        self.over_time(&lines.area, lines.known_ms.saturating_mul(2))
    }

    fn over_time(&self, area: &ExactSum, ms: u64) -> Option<f64> {
        if ms == 0 {
            return self.mean();
        }
        let (area, exponent) = area.total();
        Some(quotient(&area, &ms.into(), exponent))
    }

    /// How long the range is, in milliseconds; of several series together, the sum of that.
    pub fn range_ms(&self) -> u64 {
        self.range_ms
    }

    /// For how much of the range a number was in force, in milliseconds: the time that [`step_mean`](Self::step_mean) is over.
    pub fn known_ms(&self) -> u64 {
        self.of.steps.known_ms
    }

    /// For how much of the range a straight line could be drawn, in milliseconds: the time that [`linear_mean`](Self::linear_mean) is over. There is
    /// none behind the last row.
    pub fn linear_known_ms(&self) -> u64 {
        self.of.lines.known_ms
    }

    /// A percentile that was [asked for](crate::answers::Aggregate::percentiles): the least number that so many percent of the numbers do not
    /// exceed (nearest rank). `None` where there are no numbers.
    ///
    /// # Errors
    /// [`InvalidQuery`](PersistenceError::InvalidQuery) for one that was not asked for.
    pub fn percentile(&self, percent: f64) -> Result<Option<f64>, PersistenceError> {
        let mut known = self.percentiles.values.iter();
        let found = known.find(|(known, _)| *known == percent);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let reason = format!("the percentile {percent} was not asked for: name it in `percentiles(&[{percent:?}])`");
            PersistenceError::InvalidQuery { reason }
        })
    }

    /// How far a percentile may be off, relative to it: 0 where all numbers were kept, and 0.001 of more than 100,000.
    pub fn percentile_error(&self) -> f64 {
        self.percentiles.relative_error
    }

    /// Whether there is anything to say.
    pub(crate) fn is_known(&self) -> bool {
        let rows = self.of.count + self.of.without_value;
        rows > 0 || self.of.steps.known_ms > 0 || self.of.min.is_some()
    }
}

/// What it says, and not how it is kept.
impl Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summary")
            .field("count", &self.count())
            .field("min", &self.min())
            .field("max", &self.max())
            .field("mean", &self.mean())
            .field("standard_deviation", &self.standard_deviation())
            .field("first", &self.first())
            .field("last", &self.last())
            .field("step_mean", &self.step_mean())
            .field("increase", &self.increase())
            .field("known_ms", &self.known_ms())
            .field("percentiles", &self.percentiles.values)
            .finish_non_exhaustive()
    }
}

/// Every figure by the name of its method.
impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut summary = serializer.serialize_struct("Summary", 18)?;
        summary.serialize_field("count", &self.count())?;
        summary.serialize_field("without_value", &self.without_value())?;
        summary.serialize_field("min", &self.min_sample())?;
        summary.serialize_field("max", &self.max_sample())?;
        summary.serialize_field("sum", &self.sum())?;
        summary.serialize_field("mean", &self.mean())?;
        summary.serialize_field("standard_deviation", &self.standard_deviation())?;
        summary.serialize_field("first", &self.first())?;
        summary.serialize_field("last", &self.last())?;
        summary.serialize_field("delta", &self.delta())?;
        summary.serialize_field("increase", &self.increase())?;
        summary.serialize_field("resets", &self.resets())?;
        summary.serialize_field("step_mean", &self.step_mean())?;
        summary.serialize_field("linear_mean", &self.linear_mean())?;
        summary.serialize_field("range_ms", &self.range_ms())?;
        summary.serialize_field("known_ms", &self.known_ms())?;
        summary.serialize_field("linear_known_ms", &self.linear_known_ms())?;
        summary.serialize_field("percentiles", &self.percentiles.values)?;
        summary.end()
    }
}
