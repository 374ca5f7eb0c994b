//! The choice of few samples among many: the extremes of narrow buckets, and of these the largest triangles.

use std::ops::Range;

use crate::aggregate::summary::Sample;

/// So many buckets there are for each point, of which the least and the greatest sample are looked at.
const BUCKETS_OF_A_POINT: usize = 2;

/// Chooses among samples that come in order of time, in either direction.
pub(crate) struct Thinned {
    numbers: usize,
    points: usize,
    seen: usize,
    /// The first and the last sample, and between them the extremes of each bucket.
    candidates: Vec<Sample>,
    bucket: Option<Extremes>,
}

/// Of the bucket under way.
struct Extremes {
    bucket: u128,
    /// By the order in which they came.
    min: (usize, Sample),
    max: (usize, Sample),
}

impl Thinned {
    pub(crate) fn of(numbers: usize, points: usize) -> Self {
        Self {
            numbers,
            points,
            seen: 0,
            candidates: Vec::new(),
            bucket: None,
        }
    }

    /// Of samples that have come since they were counted nothing is seen.
    pub(crate) fn take(&mut self, sample: Sample) {
        let n = self.seen;
        if n >= self.numbers || self.points == 0 {
            return;
        }
        self.seen += 1;
        let buckets = self.points.saturating_mul(BUCKETS_OF_A_POINT);
        let is_kept = n == 0 || n + 1 == self.numbers || self.numbers / 2 <= buckets;
        if is_kept {
            self.end_bucket();
            self.candidates.push(sample);
            return;
        }
        let inner = (self.numbers - 2) as u128;
        let bucket = (n - 1) as u128 * buckets as u128 / inner;
        match &mut self.bucket {
            Some(open) if open.bucket == bucket => {
                if sample.value < open.min.1.value {
                    open.min = (n, sample);
                }
                if sample.value > open.max.1.value {
                    open.max = (n, sample);
                }
            }
            _ => {
                self.end_bucket();
                self.bucket = Some(Extremes {
                    bucket,
                    min: (n, sample),
                    max: (n, sample),
                });
            }
        }
    }

    fn end_bucket(&mut self) {
        if let Some(Extremes { min, max, .. }) = self.bucket.take() {
            let (first, second) = if min.0 <= max.0 {
                (min, max)
            } else {
                (max, min)
            };
            self.candidates.push(first.1);
            if first.0 != second.0 {
                self.candidates.push(second.1);
            }
        }
    }

    pub(crate) fn end(mut self) -> Vec<Sample> {
        self.end_bucket();
        let candidates = self.candidates;
        if candidates.len() <= self.points {
            return candidates;
        }
        let mut ends = candidates
            .first()
            .into_iter()
            .chain(candidates.last())
            .copied();
        match self.points {
            0 => Vec::new(),
            1 => ends.next().into_iter().collect(),
            2 => ends.collect(),
            points => largest_triangles(&candidates, points - 2),
        }
    }
}

/// The first, the last, and as many between them as there are buckets: more candidates than that.
fn largest_triangles(candidates: &[Sample], buckets: usize) -> Vec<Sample> {
    let extremes = extremes(candidates);
    let buckets = buckets_apart(candidates.len() - 2, buckets, &extremes);
    let mut kept = vec![candidates[0]];
    for (index, bucket) in buckets.iter().enumerate() {
        let after = match buckets.get(index + 1) {
            Some(after) => mean(&candidates[after.clone()]),
            None => candidates[candidates.len() - 1],
        };
        let before = kept[kept.len() - 1];
        let in_bucket = extremes.iter().find(|extreme| bucket.contains(extreme));
        let largest = bucket.clone().reduce(|one, other| {
            let area = |index: usize| triangle(before, candidates[index], after);
            if area(other) > area(one) { other } else { one }
        });
        kept.extend(
            in_bucket
                .copied()
                .or(largest)
                .map(|index| candidates[index]),
        );
    }
    kept.push(candidates[candidates.len() - 1]);
    kept
}

/// Where the least and the greatest candidate are, if it is neither the first nor the last that is as extreme.
fn extremes(candidates: &[Sample]) -> Vec<usize> {
    let last = candidates.len() - 1;
    let extreme = |is_more: fn(f64, f64) -> bool| {
        let ends_then_inner = [0, last].into_iter().chain(1..last);
        ends_then_inner.reduce(|one, other| {
            match is_more(candidates[other].value, candidates[one].value) {
                true => other,
                false => one,
            }
        })
    };
    let found = [extreme(|a, b| a < b), extreme(|a, b| a > b)];
    let mut inner: Vec<usize> = found
        .into_iter()
        .flatten()
        .filter(|index| (1..last).contains(index))
        .collect();
    inner.sort_unstable();
    inner.dedup();
    inner
}

/// Buckets of the candidates between the first and the last, as equal as they can be with two extremes in different ones.
fn buckets_apart(inner: usize, buckets: usize, extremes: &[usize]) -> Vec<Range<usize>> {
    let bound = |bucket: usize| 1 + (bucket as u128 * inner as u128 / buckets as u128) as usize;
    let mut bounds: Vec<usize> = (0..=buckets).map(bound).collect();
    if let [first, second] = extremes {
        // The bucket of both is cut between them, and one of its neighbours grows.
        let bucket = bounds.partition_point(|bound| bound <= first) - 1;
        if *second < bounds[bucket + 1] && buckets > 1 {
            let moved = if bucket + 1 < buckets {
                bucket + 1
            } else {
                bucket
            };
            bounds[moved] = first + 1;
        }
    }
    bounds
        .windows(2)
        .map(|bounds| bounds[0]..bounds[1])
        .collect()
}

fn mean(samples: &[Sample]) -> Sample {
    let count = samples.len() as f64;
    let first_ms = samples[0].at_ms;
    // Near the first one a float holds every millisecond.
    let away_ms = samples
        .iter()
        .map(|sample| sample.at_ms as f64 - first_ms as f64)
        .sum::<f64>()
        / count;
    let at_ms = (first_ms as f64 + away_ms) as u64;
    Sample::filled(
        at_ms,
        samples.iter().map(|sample| sample.value / count).sum(),
    )
}

/// Twice its area.
fn triangle(before: Sample, sample: Sample, after: Sample) -> f64 {
    let x = |other: Sample| other.at_ms as f64 - before.at_ms as f64;
    let y = |other: Sample| other.value - before.value;
    (x(sample) * y(after) - x(after) * y(sample)).abs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn thinned(values: &[f64], points: usize) -> Vec<(u64, f64)> {
        let mut thinned = Thinned::of(values.len(), points);
        for (at, value) in values.iter().enumerate() {
            thinned.take(Sample::filled(at as u64, *value));
        }
        let kept = thinned.end().into_iter();
        kept.map(|sample| (sample.at_ms, sample.value)).collect()
    }

    proptest! {
        #[test]
        fn the_first_the_last_and_the_extremes_are_among_the_points(
            values in prop::collection::vec(
                prop_oneof![-5.0..5.0_f64, any::<i16>().prop_map(f64::from), Just(f64::MAX), Just(f64::MIN)], 0..300),
            points in 0_usize..40,
        ) {
            let kept = thinned(&values, points);
            prop_assert_eq!(kept.len(), points.min(values.len()));
            prop_assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0), "in order");
            prop_assert!(kept.iter().all(|(at, value)| values[*at as usize] == *value), "some of all");
            if points >= 2 && values.len() >= 2 {
                prop_assert_eq!(kept[0].0, 0);
                prop_assert_eq!(kept[kept.len() - 1].0, values.len() as u64 - 1);
            }
            if points >= 4 && !values.is_empty() {
                let of = |values: &mut dyn Iterator<Item = f64>| {
                    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), v| (min.min(v), max.max(v)))
                };
                prop_assert_eq!(of(&mut kept.iter().map(|(_, v)| *v)), of(&mut values.iter().copied()));
            }
        }
    }

    #[test]
    fn two_extremes_side_by_side_are_both_kept_wherever_they_lie() {
        for at in 0..99 {
            let mut values = [0.0; 100];
            (values[at], values[at + 1]) = (9.0, -9.0);
            let kept = thinned(&values, 4);
            assert_eq!(kept.len(), 4, "{at}");
            for value in [9.0, -9.0] {
                assert!(
                    kept.iter().any(|(_, kept)| *kept == value),
                    "{value} of {at}"
                );
            }
        }
    }
}
