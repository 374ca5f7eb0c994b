use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
}

fn of(rows: &[(u64, &str)]) -> Accumulator {
    let mut all = Accumulator::default();
    for (at_ms, text) in rows {
        all.push(*at_ms, Number::parse(text));
    }
    all
}

#[test]
fn a_row_holds_until_the_next_one_and_a_row_without_a_number_ends_it() {
    let all = of(&[(0, "1000"), (1, "-"), (10, "0"), (11, "-")]);
    assert_eq!((all.count, all.without_value), (2, 2));
    assert_eq!((all.steps.area.to_f64(), all.steps.known_ms), (1000.0, 2));
    assert_eq!(all.lines.known_ms, 0, "no two numbers follow each other");
}

#[test]
fn a_meter_counts_from_reading_to_reading_and_from_nothing_when_it_begins_anew() {
    let all = of(&[
        (0, "100"),
        (1, "103.5"),
        (2, "-"),
        (3, "110"),
        (4, "4"),
        (5, "6"),
    ]);
    assert_eq!(all.meter.increase.to_f64(), 10.0 + 4.0 + 2.0);
    assert_eq!(all.meter.resets, 1);
    let beyond = of(&[(0, "18446744073709551614"), (1, "18446744073709551615")]);
    assert_eq!(beyond.meter.increase.whole(), Some(1));
}

#[test]
fn equal_extremes_are_those_of_the_earliest_time() {
    let all = of(&[(5, "2"), (6, "1"), (7, "2"), (8, "1.0")]);
    let at = |reading: Option<Reading>| reading.map(|reading| reading.at_ms);
    assert_eq!((at(all.min), at(all.max)), (Some(6), Some(5)));
}

#[test]
fn several_series_count_each_for_itself() {
    let mut all = of(&[(0, "10"), (10, "13")]);
    all.beside(&of(&[(5, "1000"), (15, "1001")]));
    assert_eq!(all.delta().to_f64(), 4.0);
    assert_eq!(all.meter.increase.to_f64(), 4.0);
    assert_eq!(all.steps.known_ms, 20);
    let ends = (all.first.map(|r| r.at_ms), all.last.map(|r| r.at_ms));
    assert_eq!(ends, (Some(0), Some(15)));
}

/// What is said of a list of rows, by floats that are whole and small enough to be exact.
fn by_hand(rows: &[(u64, Option<i64>)]) -> (f64, f64, f64, f64) {
    let (mut steps, mut lines, mut increase, mut known) = (0.0, 0.0, 0.0, 0.0);
    for pair in rows.windows(2) {
        let length = (pair[1].0 - pair[0].0) as f64;
        if let Some(value) = pair[0].1 {
            steps += value as f64 * length;
            known += length;
            if let Some(next) = pair[1].1 {
                lines += (value + next) as f64 * length;
            }
        }
    }
    let readings: Vec<i64> = rows.iter().filter_map(|row| row.1).collect();
    for pair in readings.windows(2) {
        increase += if pair[1] < pair[0] {
            pair[1]
        } else {
            pair[1] - pair[0]
        } as f64;
    }
    (steps, lines, increase, known)
}

fn rows() -> impl Strategy<Value = Vec<(u64, Option<i64>)>> {
    prop::collection::vec(
        (0_u64..50, prop::option::weighted(0.8, -1_000_i64..1_000)),
        0..40,
    )
    .prop_map(|rows| {
        let mut at = 0;
        let later = rows.into_iter().map(|(wait, number)| {
            at += wait;
            (at, number)
        });
        later.collect()
    })
}

proptest! {
    #[test]
    fn stretches_of_rows_that_are_joined_are_the_rows_one_by_one(
        rows in rows(),
        cuts in prop::collection::vec(0_usize..40, 0..6),
    ) {
        let push = |all: &mut Accumulator, (at, value): &(u64, Option<i64>)| {
            all.push(*at, value.map(|value| Number::Integer(i128::from(value))));
        };
        let mut whole = Accumulator::default();
        rows.iter().for_each(|row| push(&mut whole, row));
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).collect();
        cuts.extend([0, rows.len()]);
        cuts.sort_unstable();
        let parts: Vec<Accumulator> = cuts
            .windows(2)
            .map(|cut| {
                let mut part = Accumulator::default();
                rows[cut[0]..cut[1]].iter().for_each(|row| push(&mut part, row));
                part
            })
            .collect();
        let from_the_left = parts.iter().fold(Accumulator::default(), |mut all, part| {
            all.then(part);
            all
        });
        prop_assert_eq!(&from_the_left, &whole);
        let from_the_right = parts.iter().rev().fold(Accumulator::default(), |all, part| {
            let mut part = part.clone();
            part.then(&all);
            part
        });
        prop_assert_eq!(&from_the_right, &whole);

        let (steps, lines, increase, known) = by_hand(&rows);
        prop_assert_eq!(whole.steps.area.to_f64(), steps);
        prop_assert_eq!(whole.lines.area.to_f64(), lines);
        prop_assert_eq!(whole.meter.increase.to_f64(), increase);
        prop_assert_eq!(whole.steps.known_ms as f64, known);
        let numbers: Vec<i64> = rows.iter().filter_map(|row| row.1).collect();
        prop_assert_eq!(whole.sum.to_f64(), numbers.iter().sum::<i64>() as f64);
        prop_assert_eq!(whole.squares.to_f64(), numbers.iter().map(|n| n * n).sum::<i64>() as f64);
        prop_assert_eq!(whole.min.map(|r| r.number.to_f64()), numbers.iter().min().map(|n| *n as f64));
        prop_assert_eq!(whole.max.map(|r| r.number.to_f64()), numbers.iter().max().map(|n| *n as f64));
    }

    #[test]
    fn windows_that_follow_each_other_have_the_area_of_the_whole(
        value in -1_000_i64..1_000,
        next in -1_000_i64..1_000,
        length in 1_u64..1_000,
        cuts in prop::collection::vec(0_u64..1_000, 0..6),
        holds in 0_u64..2_000,
    ) {
        let number = |n: i64| Number::Integer(i128::from(n));
        let stretch = Stretch { from_ms: 100, value: number(value), until_ms: 100 + length, next: Some(number(next)) };
        let mut whole = Accumulator::default();
        whole.stretch(&stretch, Window::ALL, holds);
        let mut cuts: Vec<u64> = cuts.into_iter().map(|cut| 100 + cut % length).collect();
        cuts.extend([0, 100, 100 + length, 5_000]);
        cuts.sort_unstable();
        let mut parts = Accumulator::default();
        for cut in cuts.windows(2) {
            parts.stretch(&stretch, Window { start_ms: cut[0], end_ms: cut[1] }, holds);
        }
        prop_assert_eq!(parts.steps.area.to_f64(), whole.steps.area.to_f64());
        prop_assert_eq!(parts.steps.known_ms, whole.steps.known_ms);
        prop_assert_eq!(parts.lines.known_ms, whole.lines.known_ms);
        let (found, expected) = (parts.lines.area.to_f64(), whole.lines.area.to_f64());
        prop_assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{} for {}", found, expected);
    }
}

#[test]
fn a_line_between_the_greatest_floats_stays_finite() {
    let stretch = Stretch {
        from_ms: 0,
        value: number("-1.7976931348623157e308"),
        until_ms: 2,
        next: Some(number("1.7976931348623157e308")),
    };
    let mut all = Accumulator::default();
    let half = Window {
        start_ms: 0,
        end_ms: 1,
    };
    all.stretch(&stretch, half, u64::MAX);
    assert_eq!(all.lines.known_ms, 1);
    assert_eq!(all.lines.area.to_f64(), -1.7976931348623157e308);
}
