//! What is summed up over rows is what a list of them would say, computed in the simplest way.

use std::collections::BTreeMap;

use aimdb_persistence_backend::StoredValue;
use aimdb_persistence_backend::internal::{Lottery, Subject, in_order, row};
use serde_json::Value;

use crate::aggregate::summary::{Sample, Summary};
use crate::conformance::questions::{Question, history, store_rows};
use crate::declaration::field::Field;
use crate::query::answers::buckets::{Bucket, Gaps};

const V: Field<Value, f64> = Field::at(&["v"]);
const STATE: Field<Value, Value> = Field::at(&["state"]);
const PERCENTS: [f64; 4] = [0.0, 37.5, 50.0, 100.0];

/// Time and number of the rows that have one.
fn numbers(rows: &[StoredValue]) -> Vec<(u64, f64)> {
    let number = |row: &StoredValue| Some((row.stored_at, row.value["v"].as_f64()?));
    rows.iter().filter_map(number).collect()
}

#[track_caller]
fn expect_close(found: Option<f64>, expected: Option<f64>, what: &str) {
    let is_close = match (found, expected) {
        (Some(found), Some(expected)) => {
            // A column may hold 1e300 beside 0.125, of which the sum has the one, and the variance neither.
            found == expected || (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
        }
        (found, expected) => found == expected,
    };
    assert!(is_close, "{what} must be {expected:?}, not {found:?}");
}

fn expect_summary(found: &Summary, rows: &[StoredValue], what: &str) {
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
    let at = |sample: Option<Sample>| sample.map(|s| (s.at_ms, s.value));
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

/// Over time: the area below the numbers, and the time.
fn areas(numbers: &[(u64, f64)]) -> (f64, f64, f64) {
    let mut areas = (0.0, 0.0, 0.0);
    for pair in numbers.windows(2) {
        let length = (pair[1].0 - pair[0].0) as f64;
        areas.0 += pair[0].1 * length;
        areas.1 += (pair[0].1 / 2.0 + pair[1].1 / 2.0) * length;
        areas.2 += length;
    }
    areas
}

fn expect_over_time(found: &Summary, (step, linear, length): (f64, f64, f64), what: &str) {
    if length > 0.0 {
        let what_step = format!("the mean of states over time ({what})");
        expect_close(found.step_mean(), Some(step / length), &what_step);
        let what_linear = format!("the mean over time ({what})");
        expect_close(found.linear_mean(), Some(linear / length), &what_linear);
    } else {
        assert_eq!(
            found.step_mean(),
            found.mean(),
            "without time between: {what}"
        );
    }
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
        let found = found.expect("series can be summed up");
        let names: Vec<_> = found.iter().map(|series| &series.record).collect();
        let expected_names: Vec<_> = expected.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names, expected_names,
            "each series must be summed up: {question:?}"
        );
        let mut over_time = (0.0, 0.0, 0.0);
        for (series, (name, rows)) in found.iter().zip(&expected) {
            let what = format!("{name} of {question:?}");
            expect_summary(&series.summary, rows, &what);
            let numbers = numbers(rows);
            let areas = areas(&numbers);
            expect_over_time(&series.summary, areas, &what);
            over_time = (
                over_time.0 + areas.0,
                over_time.1 + areas.1,
                over_time.2 + areas.2,
            );
            let mut values: Vec<f64> = numbers.iter().map(|(_, value)| *value).collect();
            values.sort_by(f64::total_cmp);
            for percent in PERCENTS {
                let rank = (percent / 100.0 * values.len() as f64).ceil() as usize;
                let expected = values.get(rank.max(1) - 1).copied();
                let found = series.summary.percentile(percent);
                assert_eq!(found, expected, "{percent} % of {what}");
            }
        }
        let combined = aggregate().combined().await;
        let combined = combined.expect("series can be summed up together");
        let mut all: Vec<_> = expected.into_iter().flat_map(|(_, rows)| rows).collect();
        // Of one time the later series comes later.
        all.sort_by_key(|row| row.stored_at);
        expect_summary(&combined, &all, &format!("all of {question:?}"));
        expect_over_time(&combined, over_time, &format!("all of {question:?}"));
    }
}

pub(crate) async fn buckets_are_those_of_a_list(subject: Subject) {
    let mut lottery = Lottery::new(12);
    let rows = store_rows(&subject, &mut lottery, 1_000).await;
    let newest = rows.iter().map(|row| row.stored_at).max().unwrap_or(0);
    for _ in 0..60 {
        let question = Question::draw(&mut lottery, &rows);
        let width = lottery.pick(&[newest / 2 + 1, newest / 7 + 1, newest / 300 + 1]);
        let gaps = lottery.pick(&[Gaps::Skip, Gaps::Null, Gaps::Previous, Gaps::Linear]);
        let length = std::time::Duration::from_millis(width);
        let buckets = || question.of(&subject).aggregate(V).every(length).gaps(gaps);
        let found = buckets().per_series().await;
        let found = found.expect("series can be cut into buckets");
        let mut expected = BTreeMap::<(String, u64), Vec<StoredValue>>::new();
        for (name, rows) in question.series_of_list(&rows) {
            for row in rows {
                let start = row.stored_at / width * width;
                expected.entry((name.clone(), start)).or_default().push(row);
            }
        }
        expected.retain(|_, rows| !numbers(rows).is_empty());
        let mut before = (String::new(), None, 0);
        for bucket in &found {
            let record = bucket
                .record
                .clone()
                .expect("buckets of series have its name");
            assert_eq!(bucket.end_ms, bucket.start_ms + width, "a bucket's length");
            let what = format!(
                "{record} from {} of {question:?}, {gaps:?}",
                bucket.start_ms
            );
            if gaps != Gaps::Skip && before.0 == record {
                assert_eq!(
                    bucket.start_ms, before.2,
                    "buckets follow each other: {what}"
                );
            }
            let last = (before.0 == record).then_some(before.1).flatten();
            match expected.remove(&(record.clone(), bucket.start_ms)) {
                Some(rows) => expect_summary(&bucket.summary, &rows, &what),
                None => {
                    assert_ne!(gaps, Gaps::Skip, "a gap must be left out: {what}");
                    assert_eq!(bucket.summary.count(), 0, "a gap has no numbers: {what}");
                    let filled = bucket.summary.mean();
                    match gaps {
                        Gaps::Previous => assert_eq!(filled, last, "the number before: {what}"),
                        Gaps::Null => assert_eq!(filled, None, "a gap says nothing: {what}"),
                        Gaps::Linear | Gaps::Skip => {}
                    }
                }
            }
            let last = bucket.summary.last().map(|last| last.value).or(last);
            before = (record, last, bucket.end_ms);
        }
        assert!(
            expected.is_empty(),
            "buckets are missing: {expected:?}, {question:?}"
        );
        if gaps != Gaps::Skip && !found.is_empty() {
            let (start, _) = question.range();
            let first = &found[0];
            assert!(
                start.is_none_or(|start| first.start_ms <= start),
                "buckets begin where the question does: {question:?}"
            );
        }
        let combined = buckets().combined().await;
        let combined = combined.expect("series can be cut into buckets together");
        let count = |buckets: &[Bucket]| -> u64 {
            buckets.iter().map(|bucket| bucket.summary.count()).sum()
        };
        assert_eq!(count(&combined), count(&found), "together: {question:?}");
    }
}

pub(crate) async fn runs_and_states_are_those_of_a_list(subject: Subject) {
    let mut lottery = Lottery::new(13);
    // Few values, so that some follow themselves.
    let mut rows = Vec::new();
    for at in 0..600 {
        let at = at - at % 3;
        let name = lottery.pick(&["a", "b"]);
        let value = serde_json::json!({ "state": lottery.pick(&["Idle", "Running"]) });
        rows.push(row(name, at, value));
    }
    subject.store_batch(&rows).await;
    let rows = in_order(&rows);
    for range in [None, Some((100, 400))] {
        let history = || match range {
            None => history(&subject, "#"),
            Some((start, end)) => history(&subject, "#").between(start, end),
        };
        let mut runs = Vec::new();
        let mut states = BTreeMap::<(String, String), (u64, u64)>::new();
        for series in rows.chunk_by(|one, next| one.record_name == next.record_name) {
            let is_asked = |row: &&StoredValue| {
                range.is_none_or(|(start, end)| (start..=end).contains(&row.stored_at))
            };
            let mut series: Vec<_> = series.iter().filter(is_asked).collect();
            series.reverse();
            for run in series.chunk_by(|one, next| one.value == next.value) {
                let (first, last) = (run[0], run[run.len() - 1]);
                let ends = (first.stored_at, last.stored_at);
                runs.push((first.record_name.clone(), ends, run.len() as u64));
                let state = first.value["state"].to_string();
                let known = states
                    .entry((first.record_name.clone(), state))
                    .or_default();
                known.1 += 1;
            }
            let until = range.map(|(_, end)| end);
            let ends = series.iter().skip(1).map(|row| row.stored_at);
            for (row, end) in series.iter().zip(ends.chain(until)) {
                let key = (row.record_name.clone(), row.value["state"].to_string());
                states.entry(key).or_default().0 += end - row.stored_at;
            }
        }
        let found = history().changes().await.expect("runs can be found");
        let found: Vec<_> = found
            .into_iter()
            .map(|run| (run.record, (run.start_ms, run.end_ms), run.rows))
            .collect();
        assert_eq!(found, runs, "runs of equal values must be those of a list");
        let found = history().time_in_states(STATE).await;
        let found: BTreeMap<_, _> = found
            .expect("states can be found")
            .into_iter()
            .map(|held| {
                (
                    (held.record, held.state.to_string()),
                    (held.total_ms, held.times),
                )
            })
            .collect();
        assert_eq!(
            found, states,
            "the time in each state must be that of a list"
        );
    }
}

pub(crate) async fn few_points_are_some_of_all_and_the_first_and_the_last_among_them(
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
            while let Some(point) = found.next_if(|point| point.record == name) {
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
        }
        assert!(found.next().is_none(), "of no other series: {question:?}");
    }
}
