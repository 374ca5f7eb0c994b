//! All that is kept of the rows of a series: mergeable, and exact wherever its numbers are.

mod written;

use std::cmp::Ordering;

use crate::numbers::Number;
use crate::statistics::exact::ExactSum;
use crate::statistics::stretch::{Stretch, Window};

/// A number and the time of its row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Unix milliseconds.
    pub at_ms: u64,
    /// The number.
    pub number: Number,
}

/// What a numeric field says over rows of one series: counts, exact sums, extremes with their times, the first and the
/// last, the areas under steps and under straight lines, and what a meter has counted.
///
/// Rows come one by one ([`push`](Self::push)), and stretches of rows are joined in order of time
/// ([`then`](Self::then)): the result is the same. Series are put side by side ([`beside`](Self::beside)).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accumulator {
    /// Rows with a number.
    pub count: u64,
    /// Rows without a number.
    pub without_value: u64,
    /// The sum of all numbers.
    pub sum: ExactSum,
    /// The sum of their squares.
    pub squares: ExactSum,
    /// The least; of equal ones, the earliest.
    pub min: Option<Reading>,
    /// The greatest; of equal ones, the earliest.
    pub max: Option<Reading>,
    /// The oldest.
    pub first: Option<Reading>,
    /// The newest.
    pub last: Option<Reading>,
    /// Where each number holds until the next row.
    pub steps: Area,
    /// Twice the area: that of a trapezium is a whole number of halves.
    pub lines: Area,
    /// What a meter has counted.
    pub meter: Meter,
    /// The sum of what the last exceeds the first by, where there are several series.
    deltas: Option<Box<ExactSum>>,
    ends: Option<Ends>,
}

/// An area below numbers over time: number × milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Area {
    /// Number × milliseconds.
    pub area: ExactSum,
    /// For so long the numbers are known.
    pub known_ms: u64,
}

/// What has been counted from each reading to the next.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meter {
    /// What it has counted.
    pub increase: ExactSum,
    /// How often it began anew.
    pub resets: u64,
}

/// The rows at both ends, with or without a number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ends {
    first: (u64, Option<Number>),
    last: (u64, Option<Number>),
}

impl Accumulator {
    /// Adds another series. Of one time its readings come later.
    pub fn beside(&mut self, other: &Self) {
        let mut deltas = self.delta();
        deltas.merge(&other.delta());
        self.deltas = Some(Box::new(deltas));
        self.add(other);
        let earlier = |one: Reading, other: Reading| match other.at_ms < one.at_ms {
            true => other,
            false => one,
        };
        let later = |one: Reading, other: Reading| match other.at_ms >= one.at_ms {
            true => other,
            false => one,
        };
        self.first = merged(self.first, other.first, earlier);
        self.last = merged(self.last, other.last, later);
        self.ends = None;
    }

    /// All that knows no order.
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.without_value += other.without_value;
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
        self.min = merged(self.min, other.min, |one, other| {
            extreme(one, other, Ordering::Less)
        });
        self.max = merged(self.max, other.max, |one, other| {
            extreme(one, other, Ordering::Greater)
        });
        self.steps.merge(&other.steps);
        self.lines.merge(&other.lines);
        self.meter.increase.merge(&other.meter.increase);
        self.meter.resets += other.meter.resets;
    }

    /// Takes a number in, and nothing of the time before or after it. They come in order of time, in either direction.
    pub fn take(&mut self, reading: Reading, ascending: bool) {
        self.count += 1;
        self.sum.add(reading.number);
        self.squares.add_square(reading.number);
        self.include(reading);
        let (near, far) = match ascending {
            true => (&mut self.first, &mut self.last),
            false => (&mut self.last, &mut self.first),
        };
        near.get_or_insert(reading);
        *far = Some(reading);
    }

    /// Has it among the extremes.
    pub fn include(&mut self, reading: Reading) {
        let min = self
            .min
            .map_or(reading, |min| extreme(min, reading, Ordering::Less));
        let max = self
            .max
            .map_or(reading, |max| extreme(max, reading, Ordering::Greater));
        (self.min, self.max) = (Some(min), Some(max));
    }

    /// Takes a row without a number in.
    pub fn skip(&mut self) {
        self.without_value += 1;
    }

    /// The time from one row to the next, as far as it lies within the window.
    pub fn stretch(&mut self, stretch: &Stretch<Number>, window: Window, holds_ms: u64) {
        let held = stretch.held(holds_ms).within(window).length_ms();
        self.steps.area.add_times(stretch.value, held);
        self.steps.known_ms = self.steps.known_ms.saturating_add(held);
        let Some((line, next)) = stretch.line(holds_ms).zip(stretch.next) else {
            return;
        };
        let seen = line.within(window);
        if seen.length_ms() == 0 {
            return;
        }
        self.lines.known_ms = self.lines.known_ms.saturating_add(seen.length_ms());
        let (from, to) = match seen == line {
            true => (stretch.value, next),
            false => {
                let at = |at_ms| Number::of_float(on_line(stretch, next, at_ms));
                match (at(seen.start_ms), at(seen.end_ms)) {
                    (Some(from), Some(to)) => (from, to),
                    _ => return,
                }
            }
        };
        self.lines.area.add_times(from, seen.length_ms());
        self.lines.area.add_times(to, seen.length_ms());
    }

    /// What the last reading exceeds the first by; of several series, the sum of that.
    pub fn delta(&self) -> ExactSum {
        if let Some(deltas) = &self.deltas {
            return (**deltas).clone();
        }
        let mut delta = ExactSum::default();
        if let Some((first, last)) = self.first.zip(self.last) {
            delta.add(last.number);
            delta.subtract(first.number);
        }
        delta
    }
}

/// By rows and stretches of rows: how a chunk of rows keeps what is known of it, and how chunks are joined.
impl Accumulator {
    /// Takes the next row of a series in, and the time since the one before.
    pub fn push(&mut self, at_ms: u64, number: Option<Number>) {
        let row = (at_ms, number);
        self.join(row, number.map(|number| Reading { at_ms, number }));
        match number {
            Some(number) => self.take(Reading { at_ms, number }, true),
            None => self.skip(),
        }
        let first = self.ends.map_or(row, |ends| ends.first);
        self.ends = Some(Ends { first, last: row });
    }

    /// Goes on with later rows of the same series.
    pub fn then(&mut self, later: &Self) {
        let Some(others) = later.ends else {
            return;
        };
        self.join(others.first, later.first);
        self.add(later);
        self.first = self.first.or(later.first);
        self.last = later.last.or(self.last);
        let first = self.ends.map_or(others.first, |ends| ends.first);
        self.ends = Some(Ends {
            first,
            last: others.last,
        });
    }

    /// What lies between the rows so far and the next ones.
    fn join(&mut self, row: (u64, Option<Number>), reading: Option<Reading>) {
        if let Some(Ends {
            last: (from_ms, Some(value)),
            ..
        }) = self.ends
        {
            let stretch = Stretch {
                from_ms,
                value,
                until_ms: row.0,
                next: row.1,
            };
            self.stretch(&stretch, Window::ALL, u64::MAX);
        }
        if let Some((last, reading)) = self.last.zip(reading) {
            self.meter.count(last.number, reading.number);
        }
    }
}

/// The number on the straight line from a stretch's value to the next one.
pub fn on_line(stretch: &Stretch<Number>, next: Number, at_ms: u64) -> f64 {
    let length_ms = stretch.until_ms.saturating_sub(stretch.from_ms).max(1) as f64;
    let part = at_ms.saturating_sub(stretch.from_ms) as f64 / length_ms;
    let (from, to) = (stretch.value.to_f64(), next.to_f64());
    // The difference of two floats may be beyond all floats.
    from * (1.0 - part) + to * part
}

impl Area {
    fn merge(&mut self, other: &Self) {
        self.area.merge(&other.area);
        self.known_ms = self.known_ms.saturating_add(other.known_ms);
    }
}

impl Meter {
    /// From one reading to the next: a fall is that of a meter which begins anew, and has counted what it shows.
    pub fn count(&mut self, older: Number, newer: Number) {
        self.increase.add(newer);
        if newer < older {
            self.resets += 1;
        } else {
            self.increase.subtract(older);
        }
    }
}

/// The more extreme of two; of equal ones, the earlier.
fn extreme(one: Reading, other: Reading, wanted: Ordering) -> Reading {
    match other.number.partial_cmp(&one.number) {
        Some(Ordering::Equal) if other.at_ms < one.at_ms => other,
        Some(found) if found == wanted => other,
        _ => one,
    }
}

fn merged<X>(one: Option<X>, other: Option<X>, both: impl Fn(X, X) -> X) -> Option<X> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
