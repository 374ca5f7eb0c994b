//! A curve in characters.

use rasciigraph::Config;

use crate::chart::curve::{Curve, Extent, extents};
use crate::question::Clock;

/// What a terminal has in any case.
const LEAST_WIDTH: usize = 30;

/// One curve in so many columns and lines, with its times below. In each column stands the number that is farthest from
/// the mean: a peak that is shorter than a column is seen.
pub fn draw(curve: &Curve, width: usize, height: u32, clock: &Clock) -> String {
    let Some((times, _)) = extents(std::slice::from_ref(curve)) else {
        return String::new();
    };
    let columns = width.max(LEAST_WIDTH) - AXIS_WIDTH;
    let numbers = in_columns(curve, times, columns);
    let drawn = rasciigraph::plot(numbers, Config::default().with_height(height));
    let lines: Vec<&str> = drawn.lines().map(str::trim_end).collect();
    let axis = lines
        .iter()
        .filter_map(|line| line.chars().position(|c| ['┤', '┼'].contains(&c)))
        .max()
        .unwrap_or(0);
    let (first, last) = (
        clock.show(times.least as u64),
        clock.show(times.greatest as u64),
    );
    let room = (columns + 1).saturating_sub(first.len());
    format!(
        "{}\n{}{first}{last:>room$}",
        lines.join("\n"),
        " ".repeat(axis)
    )
}

/// Numbers of up to eight digits, and the axis.
const AXIS_WIDTH: usize = 11;

fn in_columns(curve: &Curve, times: Extent, columns: usize) -> Vec<f64> {
    let mean = curve.points.iter().map(|(_, n)| n).sum::<f64>() / curve.points.len() as f64;
    let mut farthest: Vec<Option<f64>> = vec![None; columns];
    for (ms, number) in &curve.points {
        let column = (times.part(*ms as f64) * (columns - 1) as f64).round() as usize;
        let known = &mut farthest[column.min(columns - 1)];
        let is_farther = known.is_none_or(|known| (number - mean).abs() > (known - mean).abs());
        if is_farther {
            *known = Some(*number);
        }
    }
    fill(&farthest)
}

/// Columns between two numbers lie on the line between them.
fn fill(columns: &[Option<f64>]) -> Vec<f64> {
    let known: Vec<(usize, f64)> = columns
        .iter()
        .enumerate()
        .filter_map(|(index, number)| Some((index, (*number)?)))
        .collect();
    let at = |index: usize| {
        let after = known.partition_point(|(known, _)| *known < index);
        match (
            after.checked_sub(1).map(|before| known[before]),
            known.get(after),
        ) {
            (_, Some((known, number))) if *known == index => *number,
            (Some((before, from)), Some((after, to))) => {
                let part = (index - before) as f64 / (after - before) as f64;
                from + (to - from) * part
            }
            (Some((_, number)), None) | (None, Some(&(_, number))) => number,
            (None, None) => 0.0,
        }
    };
    (0..columns.len()).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_without_a_number_lie_on_the_line_between_their_neighbours() {
        let columns = [None, Some(1.0), None, None, Some(4.0), None];
        assert_eq!(fill(&columns), [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
    }

    #[test]
    fn a_peak_that_is_shorter_than_a_column_is_seen() {
        let mut points: Vec<(u64, f64)> = (0..10_000).map(|ms| (ms, 1.0)).collect();
        points[5_001].1 = 9.0;
        let curve = Curve {
            record_name: "a".to_owned(),
            points,
        };
        let times = extents(std::slice::from_ref(&curve)).unwrap().0;
        assert!(in_columns(&curve, times, 60).contains(&9.0));
    }
}
