//! What is summed up over rows is what a list of them would say, computed in the simplest way.

use aimdb_persistence_backend::StoredValue;
use aimdb_persistence_backend::internal::{Lottery, Subject};
use serde_json::Value;

use crate::Summary;
use crate::conformance::questions::history;
use crate::conformance::questions::{Question, store_rows};
use crate::declaration::field::Field;

pub(crate) const V: Field<Value, f64> = Field::at(&["v"]);
pub(crate) const PERCENTS: [f64; 4] = [0.0, 37.5, 50.0, 100.0];

/// Time and number of the rows that have one.
pub(crate) fn numbers(rows: &[StoredValue]) -> Vec<(u64, f64)> {
    let number = |row: &StoredValue| Some((row.stored_at, row.value["v"].as_f64()?));
    rows.iter().filter_map(number).collect()
}

#[track_caller]
pub(crate) fn expect_close(found: Option<f64>, expected: Option<f64>, what: &str) {
    let is_close = match (found, expected) {
        (Some(found), Some(expected)) => {
            // A column may hold 1e300 beside 0.125, of which the sum has the one, and the variance neither.
            found == expected || (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
        }
        (found, expected) => found == expected,
    };
    assert!(is_close, "{what} must be {expected:?}, not {found:?}");
}

pub(crate) fn expect_summary(found: &Summary, rows: &[StoredValue], what: &str) {
    let numbers = numbers(rows);
    let values: Vec<f64> = numbers.iter().map(|(_, value)| *value).collect();
    let count = values.len() as f64;
    assert_eq!(
        found.count(),
        values.len() as u64,
        "the numbers must be counted: {what}"
    );
    assert_eq!(
        found.without_value(),
        (rows.len() - values.len()) as u64,
        "rows without a number must be counted: {what}"
    );
    let reduce = |choose: fn(f64, f64) -> f64| values.iter().copied().reduce(choose);
    assert_eq!(found.min(), reduce(f64::min), "the minimum: {what}");
    assert_eq!(found.max(), reduce(f64::max), "the maximum: {what}");
    let sum: f64 = values.iter().sum();
    expect_close(Some(found.sum()), Some(sum), &format!("the sum ({what})"));
    let mean = (count > 0.0).then(|| sum / count);
    expect_close(found.mean(), mean, &format!("the mean ({what})"));
    let is_tame = values.iter().all(|value| value.abs() < 1e100);
    if is_tame && count > 1.0 {
        let mean = mean.unwrap_or_default();
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (squares / (count - 1.0)).sqrt();
        let what = format!("the standard deviation ({what})");
        expect_close(found.standard_deviation(), Some(deviation), &what);
    }
    let at = |sample: Option<crate::Sample>| sample.map(|s| (s.at_ms, s.value));
    assert_eq!(
        at(found.first()),
        numbers.first().copied(),
        "the first: {what}"
    );
    assert_eq!(
        at(found.last()),
        numbers.last().copied(),
        "the last: {what}"
    );
}

pub(crate) async fn numbers_are_summed_up_like_those_of_a_list(subject: Subject) {
    let nothing = history(&subject, "#").aggregate(V).combined().await;
    assert_eq!(
        nothing.expect("an empty backend can be asked"),
        Summary::default(),
        "over no rows there is nothing to say"
    );
    let mut lottery = Lottery::new(11);
    let rows = store_rows(&subject, &mut lottery, 1_500).await;
    for _ in 0..60 {
        let question = Question::draw(&mut lottery, &rows);
        let expected = question.series_of_list(&rows);
        let aggregate = || question.of(&subject).aggregate(V).percentiles(&PERCENTS);
        let found = aggregate().per_series().await;
        let mut found = found.expect("series can be summed up");
        // A series without rows may have something to say all the same.
        found.retain(|series| series.summary.count() + series.summary.without_value() > 0);
        let names: Vec<_> = found.iter().map(|series| &series.record_name).collect();
        let expected_names: Vec<_> = expected.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names, expected_names,
            "each series must be summed up: {question:?}"
        );
        for (series, (name, rows)) in found.iter().zip(&expected) {
            let what = format!("{name} of {question:?}");
            expect_summary(&series.summary, rows, &what);
            let numbers = numbers(rows);
            let delta = numbers
                .first()
                .zip(numbers.last())
                .map(|(first, last)| last.1 - first.1);
            expect_close(
                series.summary.delta(),
                delta,
                &format!("the delta of {what}"),
            );
            let mut values: Vec<f64> = numbers.iter().map(|(_, value)| *value).collect();
            values.sort_by(f64::total_cmp);
            for percent in PERCENTS {
                let rank = (percent / 100.0 * values.len() as f64).ceil() as usize;
                let expected = values.get(rank.max(1) - 1).copied();
                let found = series.summary.percentile(percent);
                let found = found.expect("the percentile was asked for");
                assert_eq!(found, expected, "{percent} % of {what}");
            }
        }
        let combined = aggregate().combined().await;
        let combined = combined.expect("series can be summed up together");
        let mut all: Vec<_> = expected.into_iter().flat_map(|(_, rows)| rows).collect();
        // Of one time the later series comes later.
        all.sort_by_key(|row| row.stored_at);
        expect_summary(&combined, &all, &format!("all of {question:?}"));
    }
}

pub(crate) async fn few_points_are_some_of_all_and_the_ends_and_extremes_among_them(
    subject: Subject,
) {
    let mut lottery = Lottery::new(14);
    let rows = store_rows(&subject, &mut lottery, 1_000).await;
    for _ in 0..40 {
        let question = Question::draw(&mut lottery, &rows);
        let points = lottery.pick(&[0, 1, 2, 3, 4, 10, 50, 10_000]);
        let found = question.of(&subject).downsample(V, points).await;
        let mut found = found.expect("series can be thinned").into_iter().peekable();
        for (name, rows) in question.series_of_list(&rows) {
            let all = numbers(&rows);
            let mut kept = Vec::new();
            while let Some(point) = found.next_if(|point| point.record_name == name) {
                kept.push((point.stored_at, point.value));
            }
            let what = format!("{points} of {} points, {name} of {question:?}", all.len());
            assert_eq!(kept.len(), points.min(all.len()), "{what}");
            if points >= all.len() {
                assert_eq!(kept, all, "a short series comes as it is: {what}");
                continue;
            }
            let mut rest = all.iter();
            for point in &kept {
                assert!(
                    rest.any(|one| one == point),
                    "points come from the rows, in order: {what}"
                );
            }
            assert!(points < 2 || kept[0] == all[0], "the first: {what}");
            assert!(points < 2 || kept.last() == all.last(), "the last: {what}");
            let extremes = |points: &[(u64, f64)]| {
                let values = points.iter().map(|(_, value)| *value);
                (
                    values.clone().fold(f64::MAX, f64::min),
                    values.fold(f64::MIN, f64::max),
                )
            };
            if points >= 4 {
                assert_eq!(
                    extremes(&kept),
                    extremes(&all),
                    "the least and the greatest: {what}"
                );
            }
        }
        assert!(found.next().is_none(), "of no other series: {question:?}");
    }
}
