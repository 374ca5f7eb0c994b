//! Percentiles in bounded memory.

use sketches_ddsketch::{Config, DDSketch};

/// So many numbers are kept as they are; of more, a sketch is.
const MOST_EXACT: usize = 100_000;
/// How far a percentile from a sketch may be off, relative to it.
pub(crate) const RELATIVE_ERROR: f64 = 0.001;
/// At eight bytes each. Numbers of up to some twenty decades find a bin of their own.
const MOST_BINS: u32 = 65_536;
const LEAST_MAGNITUDE: f64 = 1.0e-9;

/// The numbers of which percentiles are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    wanted: Vec<f64>,
    exact: Vec<f64>,
    sketch: Option<Box<Sketch>>,
}

#[derive(Clone)]
struct Sketch(DDSketch);

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a sketch of {} numbers", self.0.count())
    }
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
        if let Some(sketch) = &mut self.sketch {
            sketch.0.add(value);
            return;
        }
        self.exact.push(value);
        if self.exact.len() > MOST_EXACT {
            let mut sketch = DDSketch::new(Config::new(RELATIVE_ERROR, MOST_BINS, LEAST_MAGNITUDE));
            self.exact.drain(..).for_each(|value| sketch.add(value));
            self.exact = Vec::new();
            self.sketch = Some(Box::new(Sketch(sketch)));
        }
    }

    /// Each wanted percentile, of numbers that are forgotten by this.
    pub(crate) fn take_percentiles(&mut self) -> Vec<(f64, f64)> {
        let (mut exact, sketch) = (std::mem::take(&mut self.exact), self.sketch.take());
        exact.sort_unstable_by(f64::total_cmp);
        let percentile = |percent: f64| match &sketch {
            Some(sketch) => sketch.0.quantile(percent / 100.0).ok().flatten(),
            None => nearest_rank(&exact, percent),
        };
        let wanted = self.wanted.iter();
        wanted
            .filter_map(|percent| Some((*percent, percentile(*percent)?)))
            .collect()
    }
}

/// Of sorted numbers, the least one that so many percent of them do not exceed.
fn nearest_rank(sorted: &[f64], percent: f64) -> Option<f64> {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percentiles(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let mut all = Values::wanting(&[0.0, 50.0, 95.0, 100.0]);
        values.into_iter().for_each(|value| all.add(value));
        all.take_percentiles()
            .into_iter()
            .map(|(_, value)| value)
            .collect()
    }

    #[test]
    fn few_numbers_have_exact_percentiles() {
        assert!(percentiles([]).is_empty());
        assert_eq!(percentiles([7.0]), [7.0; 4]);
        assert_eq!(
            percentiles((1..=10).rev().map(f64::from)),
            [1.0, 5.0, 10.0, 10.0]
        );
    }

    #[test]
    fn percentiles_of_many_numbers_are_off_by_a_thousandth_at_most() {
        let many = 1_000_000;
        for sign in [1.0, -1.0] {
            let found = percentiles((1..=many).map(|n| sign * f64::from(n)));
            let expected = match sign > 0.0 {
                true => [1.0, 500_000.0, 950_000.0, 1_000_000.0],
                false => [-1_000_000.0, -500_001.0, -50_001.0, -1.0],
            };
            for (found, expected) in found.into_iter().zip(expected) {
                let error = (found - expected).abs() / expected.abs();
                assert!(error <= 1.01 * RELATIVE_ERROR, "{found} for {expected}");
            }
        }
    }
}
