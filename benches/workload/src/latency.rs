//! How long something took, many times over.

use std::time::{Duration, Instant};

/// Durations of the same operation.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    micros: Vec<f64>,
}

impl Latencies {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, took: Duration) {
        self.micros.push(took.as_secs_f64() * 1e6);
    }

    /// Adds what has passed since `start`.
    pub fn push_since(&mut self, start: Instant) {
        self.push(start.elapsed());
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.micros.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.micros.is_empty()
    }

    /// The median in microseconds.
    ///
    /// # Panics
    /// If there are none.
    pub fn median_us(&self) -> f64 {
        self.quantile_us(0.5)
    }

    /// The least duration in microseconds that a `share` of all does not exceed: 0.99 is the 99th percentile.
    ///
    /// # Panics
    /// If there are none.
    pub fn quantile_us(&self, share: f64) -> f64 {
        let mut sorted = self.micros.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        sorted[rank.clamp(1, sorted.len()) - 1]
    }

    /// The longest in microseconds.
    ///
    /// # Panics
    /// If there are none.
    pub fn max_us(&self) -> f64 {
        self.quantile_us(1.0)
    }
}

/// The median of some figures.
///
/// # Panics
/// If there are none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_durations() {
        let mut latencies = Latencies::new();
        (1..=100).for_each(|us| latencies.push(Duration::from_micros(us)));
        assert_eq!(latencies.median_us().round(), 50.0);
        assert_eq!(latencies.quantile_us(0.99).round(), 99.0);
        assert_eq!(latencies.max_us().round(), 100.0);
    }
}
