//! What is drawn: one curve for each series, in time, and the marks of its axes.

use aimdb_persistence::Persisted;

/// The numbers of one series in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The key of the series.
    pub record_name: String,
    /// Unix milliseconds and a number.
    pub points: Vec<(u64, f64)>,
}

/// The curves of points that come series by series.
pub fn curves(points: Vec<Persisted<f64>>) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for point in points {
        let at = (point.stored_at, point.value);
        match curves.last_mut() {
            Some(curve) if curve.record_name == point.record_name => curve.points.push(at),
            _ => curves.push(Curve {
                record_name: point.record_name,
                points: vec![at],
            }),
        }
    }
    curves
}

/// From the least to the greatest of something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extent {
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Extent {
    /// `None` of nothing. What is only one number gets some room around it.
    fn of(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let extent = numbers.fold(None, |extent: Option<Self>, number| {
            let of = extent.unwrap_or(Self {
                least: number,
                greatest: number,
            });
            Some(Self {
                least: of.least.min(number),
                greatest: of.greatest.max(number),
            })
        })?;
        let room = match extent.least == extent.greatest {
            true => (extent.least.abs() * 0.1).max(1.0),
            false => 0.0,
        };
        Some(Self {
            least: extent.least - room,
            greatest: extent.greatest + room,
        })
    }

    /// Where a number lies between the two: 0 to 1.
    pub(crate) fn part(&self, number: f64) -> f64 {
        (number - self.least) / (self.greatest - self.least)
    }

    /// Round numbers within, some five of them.
    pub(crate) fn round_marks(&self) -> Vec<f64> {
        let rough = (self.greatest - self.least) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let first = (self.least / step).ceil();
        let mut marks = Vec::new();
        while marks.len() < 12 {
            let mark = (first + marks.len() as f64) * step;
            if mark > self.greatest {
                break;
            }
            marks.push(mark);
        }
        marks
    }
}

/// How far all curves reach, in time and in numbers; `None` without points.
pub(crate) fn extents(curves: &[Curve]) -> Option<(Extent, Extent)> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let times = Extent::of(points().map(|(ms, _)| *ms as f64))?;
    let numbers = Extent::of(points().map(|(_, number)| *number))?;
    Some((times, numbers))
}

/// Moments evenly apart.
pub(crate) fn time_marks(times: Extent, count: usize) -> Vec<u64> {
    let step = (times.greatest - times.least) / (count.max(2) - 1) as f64;
    (0..count.max(2))
        .map(|index| (times.least + step * index as f64) as u64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_numbers_within_the_extent() {
        for ((least, greatest), expected) in [
            ((0.3, 9.7), vec![2.0, 4.0, 6.0, 8.0]),
            ((-120.0, 80.0), vec![-100.0, -50.0, 0.0, 50.0]),
        ] {
            assert_eq!(Extent { least, greatest }.round_marks(), expected);
        }
        let alone = Extent::of([5.0].into_iter()).unwrap();
        assert_eq!(alone.part(5.0), 0.5);
    }
}
