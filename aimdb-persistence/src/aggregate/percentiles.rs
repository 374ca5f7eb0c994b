//! Percentiles in bounded memory.

use std::collections::BTreeMap;

/// So many numbers are kept as they are; of more, how many lie in each of many narrow bins.
const MOST_EXACT: usize = 100_000;
/// How far a percentile from bins may be off, relative to it.
pub(crate) const RELATIVE_ERROR: f64 = 0.001;
/// A bin covers the floats that have their exponent and the first nine bits of their fraction in common: its middle is off
/// by 1/1024 at most.
const BITS_WITHIN_A_BIN: u32 = 52 - 9;
const BINS_OF_AN_EXPONENT: i64 = 1 << 9;
/// What is too small to have an exponent of its own has one once it is so many doublings larger.
const DOUBLINGS: i32 = 60;

/// The numbers of which percentiles are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    wanted: Vec<f64>,
    exact: Vec<f64>,
    bins: Option<Bins>,
}

/// Percentiles, in the order in which they were wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Percentiles {
    pub(crate) values: Vec<(f64, Option<f64>)>,
    /// How far each of them may be off, relative to it.
    pub(crate) relative_error: f64,
}

/// Log-linear bins, of all floats there are: at most some two million, of which those with numbers in them are kept.
#[derive(Debug, Clone, Default)]
struct Bins {
    count: u64,
    /// By the bins' order, which is that of their numbers.
    counts: BTreeMap<i64, u64>,
    min: f64,
    max: f64,
}

impl Values {
    pub(crate) fn wanting(percents: &[f64]) -> Self {
        Self {
            wanted: percents.to_vec(),
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, value: f64) {
        if self.wanted.is_empty() {
            return;
        }
        if let Some(bins) = &mut self.bins {
            return bins.add(value);
        }
        self.exact.push(value);
        if self.exact.len() > MOST_EXACT {
            let bins = self.bins.insert(Bins::default());
            std::mem::take(&mut self.exact)
                .into_iter()
                .for_each(|value| bins.add(value));
        }
    }

    /// Each wanted percentile, of numbers that are forgotten by this.
    pub(crate) fn take_percentiles(&mut self) -> Percentiles {
        let (mut exact, bins) = (std::mem::take(&mut self.exact), self.bins.take());
        exact.sort_unstable_by(f64::total_cmp);
        let percentile = |percent: f64| match &bins {
            Some(bins) => bins.at_rank(rank(bins.count, percent)),
            None => exact
                .get(rank(exact.len() as u64, percent) as usize - 1)
                .copied(),
        };
        let wanted = self.wanted.iter();
        Percentiles {
            values: wanted
                .map(|percent| (*percent, percentile(*percent)))
                .collect(),
            relative_error: if bins.is_some() { RELATIVE_ERROR } else { 0.0 },
        }
    }
}

/// The nearest rank, from 1: of sorted numbers, that of the least one that so many percent of them do not exceed.
fn rank(count: u64, percent: f64) -> u64 {
    ((percent * count as f64 / 100.0).ceil() as u64).clamp(1, count.max(1))
}

impl Bins {
    fn add(&mut self, value: f64) {
        let is_first = self.count == 0;
        self.min = if is_first { value } else { self.min.min(value) };
        self.max = if is_first { value } else { self.max.max(value) };
        self.count += 1;
        *self.counts.entry(bin_of(value)).or_default() += 1;
    }

    fn at_rank(&self, rank: u64) -> Option<f64> {
        let mut seen = 0;
        let mut bins = self.counts.iter();
        let bin = bins.find_map(|(bin, count)| {
            seen += count;
            (seen >= rank).then_some(*bin)
        })?;
        Some(middle_of(bin).clamp(self.min, self.max))
    }
}

/// 0 is a bin of its own; those of negative numbers lie on the other side of it.
fn bin_of(value: f64) -> i64 {
    if value == 0.0 {
        return 0;
    }
    let (magnitude, lowered) = match value.abs() {
        small if small < f64::MIN_POSITIVE => (small * 2_f64.powi(DOUBLINGS), DOUBLINGS),
        normal => (normal, 0),
    };
    let bin = (magnitude.to_bits() >> BITS_WITHIN_A_BIN) as i64;
    let bin = bin + i64::from(DOUBLINGS - lowered) * BINS_OF_AN_EXPONENT;
    if value < 0.0 { -bin } else { bin }
}

fn middle_of(bin: i64) -> f64 {
    if bin == 0 {
        return 0.0;
    }
    let normal = bin.abs() - i64::from(DOUBLINGS) * BINS_OF_AN_EXPONENT;
    let (bin_of_bits, lowered) = match normal < BINS_OF_AN_EXPONENT {
        true => (bin.abs(), DOUBLINGS),
        false => (normal, 0),
    };
    let half = 1_u64 << (BITS_WITHIN_A_BIN - 1);
    let middle = f64::from_bits(((bin_of_bits as u64) << BITS_WITHIN_A_BIN) + half);
    let middle = middle * 2_f64.powi(-lowered);
    if bin < 0 { -middle } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percentiles(percents: &[f64], values: impl IntoIterator<Item = f64>) -> Vec<Option<f64>> {
        let mut all = Values::wanting(percents);
        values.into_iter().for_each(|value| all.add(value));
        let found = all.take_percentiles().values.into_iter();
        found.map(|(_, value)| value).collect()
    }

    #[test]
    fn few_numbers_have_exact_percentiles() {
        let of = |values: &[f64]| percentiles(&[0.0, 50.0, 95.0, 100.0], values.iter().copied());
        assert_eq!(of(&[]), [None; 4]);
        assert_eq!(of(&[7.0]), [Some(7.0); 4]);
        let ten: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        assert_eq!(of(&ten), [Some(1.0), Some(5.0), Some(10.0), Some(10.0)]);
    }

    /// Each percentile of the sorted numbers, by nearest rank in whole numbers.
    fn of_sorted(mut values: Vec<f64>, percents: &[u64]) -> Vec<f64> {
        values.sort_by(f64::total_cmp);
        let count = values.len() as u64;
        let rank = |percent: &u64| (percent * count).div_ceil(100).max(1);
        percents
            .iter()
            .map(|percent| values[rank(percent) as usize - 1])
            .collect()
    }

    #[test]
    fn percentiles_of_many_numbers_are_off_by_a_thousandth_at_most_whatever_their_size() {
        let percents: Vec<u64> = (0..=100).collect();
        let asked: Vec<f64> = percents.iter().map(|p| *p as f64).collect();
        let many = MOST_EXACT as u32 + 10;
        let spread =
            move |n: u32, from: f64, to: f64| from + (to - from) * f64::from(n) / f64::from(many);
        type Column = Box<dyn Fn(u32) -> f64>;
        let columns: [(&str, Column); 8] = [
            ("whole numbers", Box::new(f64::from)),
            ("negative numbers", Box::new(|n| -f64::from(n) - 1.0)),
            ("picofarads", Box::new(|n| f64::from(n) * 1e-15)),
            (
                "all magnitudes",
                Box::new(move |n| 10_f64.powf(spread(n, -307.0, 308.0))),
            ),
            ("below all exponents", Box::new(|n| f64::from(n) * 5e-324)),
            (
                "both sides of zero",
                Box::new(|n| (f64::from(n) - 50_000.0) * 1e40),
            ),
            (
                "two values",
                Box::new(|n| if n % 20 == 0 { 1e30 } else { -1e-30 }),
            ),
            (
                "the greatest",
                Box::new(|n| if n % 2 == 0 { f64::MAX } else { f64::MIN }),
            ),
        ];
        for (name, column) in columns {
            let values: Vec<f64> = (0..many)
                .map(|n| column(n.wrapping_mul(7_919) % many))
                .collect();
            let found = percentiles(&asked, values.iter().copied());
            for ((found, expected), percent) in found
                .iter()
                .zip(of_sorted(values, &percents))
                .zip(&percents)
            {
                let found = found.expect("there are numbers");
                // Half of the last place that there is, besides.
                let allowed = RELATIVE_ERROR * expected.abs() + 5e-324;
                assert!(
                    (found - expected).abs() <= allowed,
                    "{percent} % of {name}: {found:e} for {expected:e}"
                );
            }
        }
    }

    #[test]
    fn where_bins_begin_the_error_is_told() {
        let error = |count: usize| {
            let mut all = Values::wanting(&[50.0]);
            (0..count).for_each(|n| all.add(n as f64));
            all.take_percentiles().relative_error
        };
        assert_eq!(error(MOST_EXACT), 0.0);
        assert_eq!(error(MOST_EXACT + 1), RELATIVE_ERROR);
    }
}
