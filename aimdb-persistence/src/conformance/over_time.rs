//! Answers over time are those of a model that looks at every millisecond.

use std::collections::BTreeMap;

use crate::conformance::aggregates::{V, expect_close, expect_summary, numbers};
use crate::conformance::model::{Model, OverTime};
use crate::conformance::questions::{Question, store_rows_within};
use crate::time::now_ms;
use crate::{Bucket, Gaps, Summary};
use aimdb_persistence_backend::StoredValue;
use aimdb_persistence_backend::internal::{Lottery, Subject};

/// So few milliseconds that each can be looked at.
pub(crate) const TIMES_MS: u64 = 200;

/// The series that a question is about, each with the window that `range_ms` says it has been answered for.
pub(crate) fn models<'a>(
    rows: &'a [StoredValue],
    own: &'a [(String, Vec<StoredValue>)],
    question: &Question,
    holds_ms: u64,
    now: (u64, u64),
) -> Vec<(String, Model<'a>)> {
    let series = rows.chunk_by(|one, next| one.record_name == next.record_name);
    let selected = series.filter(|rows| question.selects(&rows[0].record_name));
    let of_series = |rows: &'a [StoredValue]| {
        let name = rows[0].record_name.clone();
        let own = own.iter().find(|(own, _)| *own == name);
        let own: Vec<_> = own
            .map(|(_, rows)| rows.iter().collect())
            .unwrap_or_default();
        let (start_ms, end_ms) = window(&own, rows, question, now.1)?;
        Some((
            name,
            Model {
                rows: rows.iter().rev().collect(),
                filter: question.condition(),
                holds_ms,
                own,
                start_ms,
                end_ms,
                reaches_back: question.latest.is_none() && question.oldest != Some(0),
                reaches_on: question.oldest.is_none(),
            },
        ))
    };
    selected.filter_map(of_series).collect()
}

/// The rule of ranges, word by word: it ends at `until`; with `since` alone, now; with neither, at the newest row.
fn window(
    own: &[&StoredValue],
    all: &[StoredValue],
    question: &Question,
    now_ms: u64,
) -> Option<(u64, u64)> {
    let within = |row: &&StoredValue| {
        question.start_ms.is_none_or(|start| row.stored_at >= start)
            && question.end_ms.is_none_or(|end| row.stored_at <= end)
    };
    let newest = all.iter().filter(within).map(|row| row.stored_at).max();
    let oldest = all.iter().filter(within).map(|row| row.stored_at).min();
    let times = || own.iter().map(|row| row.stored_at);
    let end = match (question.start_ms, question.end_ms) {
        // Where they are all there are, others may be left out after them.
        _ if question.oldest.is_some_and(|oldest| oldest <= own.len()) => times().max()?,
        _ if question.oldest.is_some() => newest?,
        (_, Some(until)) => until,
        (Some(_), None) => now_ms,
        (None, None) => newest?,
    };
    let start = match question.start_ms {
        _ if question.latest.is_some() => times().min()?,
        Some(since) => since,
        None => oldest?,
    };
    (start <= end).then_some((start, end))
}

fn expect_area(found: Option<f64>, expected: OverTime, what: &str) {
    let (Some(found), true) = (found, expected.known_ms > 0) else {
        return;
    };
    let (mean, magnitude) = (
        expected.area / expected.known_ms as f64,
        expected.magnitude / expected.known_ms as f64,
    );
    let is_close = (found - mean).abs() <= 1e-9 * magnitude.max(1e-9);
    assert!(is_close, "{what} must be {mean}, not {found}");
}

/// After the last row that can be seen, one number holds.
fn steps(model: &Model<'_>, end_ms: u64) -> OverTime {
    let last_ms = TIMES_MS.clamp(model.start_ms, end_ms);
    let mut all = model.steps(model.start_ms, last_ms);
    if let Some(number) = model.number_in_force(last_ms).filter(|_| last_ms < end_ms) {
        let since_ms = model.in_force(last_ms).map_or(0, |row| row.stored_at);
        let until_ms = end_ms.min(since_ms.saturating_add(model.holds_ms));
        let length_ms = until_ms.saturating_sub(last_ms);
        all.area += number * length_ms as f64;
        all.magnitude += number.abs() * length_ms as f64;
        all.known_ms += length_ms;
    }
    all
}

fn expect_over_time(found: &Summary, model: &Model<'_>, what: &str) -> OverTime {
    let end_ms = model.start_ms + found.range_ms();
    let steps = steps(model, end_ms);
    assert_eq!(
        found.known_ms(),
        steps.known_ms,
        "how much is known: {what}"
    );
    expect_area(
        found.step_mean(),
        steps,
        &format!("the mean of steps ({what})"),
    );
    let lines = model.lines(model.start_ms, end_ms.min(TIMES_MS));
    assert_eq!(
        found.linear_known_ms(),
        lines.known_ms,
        "how much lies on lines: {what}"
    );
    expect_area(
        found.linear_mean(),
        lines,
        &format!("the mean of lines ({what})"),
    );
    let increases = model.increases();
    let increase =
        (!increases.is_empty()).then(|| increases.iter().map(|(_, counted)| counted).sum());
    expect_close(
        found.increase(),
        increase,
        &format!("what a meter has counted ({what})"),
    );
    steps
}

pub(crate) async fn means_over_time_begin_with_what_was_in_force(subject: Subject) {
    let mut lottery = Lottery::new(21);
    let rows = store_rows_within(&subject, &mut lottery, 240, TIMES_MS).await;
    for _ in 0..120 {
        let question = Question::draw(&mut lottery, &rows);
        let holds_ms = lottery.pick(&[None, Some(1), Some(7), Some(90)]);
        let aggregate = || {
            let history = question.of(&subject);
            let history = match holds_ms {
                Some(ms) => history.holds(std::time::Duration::from_millis(ms)),
                None => history,
            };
            history.aggregate(V)
        };
        let before = now_ms();
        let found = aggregate().per_series().await;
        let mut found: BTreeMap<_, _> = found
            .expect("series can be summed up")
            .into_iter()
            .map(|series| (series.record_name, series.summary))
            .collect();
        let now = (before, now_ms());
        let own = question.series_of_list(&rows);
        let mut known_ms = 0;
        for (name, model) in models(&rows, &own, &question, holds_ms.unwrap_or(u64::MAX), now) {
            let what = format!("{name} of {question:?}, held for {holds_ms:?} ms");
            let Some(summary) = found.remove(&name) else {
                let steps = steps(&model, model.end_ms);
                assert!(
                    model.own.is_empty() && steps.known_ms == 0,
                    "a series is missing: {what}"
                );
                continue;
            };
            let end_ms = model.start_ms + summary.range_ms();
            let is_now = question.start_ms.is_some()
                && question.end_ms.is_none()
                && question.oldest.is_none();
            match is_now && question.latest.is_none() {
                true => assert!((now.0..=now.1).contains(&end_ms), "it ends now: {what}"),
                false => assert!(
                    end_ms == model.end_ms || is_now,
                    "the range ends at {}: {what}",
                    model.end_ms
                ),
            }
            known_ms += expect_over_time(&summary, &model, &what).known_ms;
        }
        assert!(
            found.is_empty(),
            "there are no such series: {found:?} {question:?}"
        );
        let combined = aggregate().combined().await;
        let combined = combined.expect("series can be summed up together");
        if question.end_ms.is_some() || question.start_ms.is_none() {
            assert_eq!(combined.known_ms(), known_ms, "all together: {question:?}");
        }
    }
}

fn expect_bucket(bucket: &Bucket, model: &Model<'_>, gaps: Gaps, what: &str) {
    let summary = &bucket.summary;
    let within = |row: &&StoredValue| (bucket.start_ms..bucket.end_ms).contains(&row.stored_at);
    let own: Vec<StoredValue> = model.own.iter().copied().filter(within).cloned().collect();
    let start_ms = bucket.start_ms.max(model.start_ms);
    let end_ms = bucket.end_ms.min(model.end_ms).max(start_ms);
    assert_eq!(
        summary.range_ms(),
        end_ms - start_ms,
        "its part of the range: {what}"
    );
    let steps = model.steps(start_ms, end_ms);
    assert_eq!(
        summary.known_ms(),
        steps.known_ms,
        "how much is known: {what}"
    );
    expect_area(
        summary.step_mean(),
        steps,
        &format!("the mean of steps ({what})"),
    );
    let lines = model.lines(start_ms, end_ms);
    assert_eq!(
        summary.linear_known_ms(),
        lines.known_ms,
        "how much lies on lines: {what}"
    );
    expect_area(
        summary.linear_mean(),
        lines,
        &format!("the mean of lines ({what})"),
    );
    let increases = model.increases().into_iter();
    let counted = increases.filter(|(at, _)| (bucket.start_ms..bucket.end_ms).contains(at));
    let counted: Vec<f64> = counted.map(|(_, counted)| counted).collect();
    let increase = (!counted.is_empty()).then(|| counted.iter().sum());
    expect_close(
        summary.increase(),
        increase,
        &format!("what a meter has counted ({what})"),
    );
    if !numbers(&own).is_empty() {
        return expect_summary(summary, &own, what);
    }
    assert_ne!(gaps, Gaps::Skip, "a gap must be left out: {what}");
    assert_eq!(summary.count(), 0, "a gap has no numbers: {what}");
    let middle_ms = bucket.start_ms.midpoint(bucket.end_ms);
    match gaps {
        Gaps::Previous if end_ms > start_ms => {
            let held = model.number_in_force(start_ms);
            assert_eq!(summary.mean(), held, "the number in force: {what}");
        }
        Gaps::Null => assert_eq!(summary.mean(), None, "a gap says nothing: {what}"),
        Gaps::Linear if (start_ms..end_ms).contains(&middle_ms) => {
            let line = model.on_line(middle_ms as f64);
            expect_close(summary.mean(), line, &format!("on a line ({what})"));
        }
        _ => {}
    }
}

pub(crate) async fn buckets_are_those_of_a_list(subject: Subject) {
    let mut lottery = Lottery::new(12);
    let rows = store_rows_within(&subject, &mut lottery, 200, TIMES_MS).await;
    for _ in 0..120 {
        let mut question = Question::draw(&mut lottery, &rows);
        if question.start_ms.is_some() && question.end_ms.is_none() {
            // Until now there are too many buckets.
            question.end_ms = Some(lottery.below(TIMES_MS + 50));
        }
        let width = lottery.pick(&[TIMES_MS / 2 + 1, TIMES_MS / 7, 3]);
        let gaps = lottery.pick(&[Gaps::Skip, Gaps::Null, Gaps::Previous, Gaps::Linear]);
        let holds_ms = lottery.pick(&[u64::MAX, 9]);
        let length = std::time::Duration::from_millis(width);
        let holds = std::time::Duration::from_millis(holds_ms);
        let aggregate = || question.of(&subject).holds(holds).aggregate(V);
        let found = aggregate().every(length).gaps(gaps).per_series().await;
        let found = found.expect("series can be cut into buckets");
        let own = question.series_of_list(&rows);
        let now = now_ms();
        let models = models(&rows, &own, &question, holds_ms, (now, now));
        let mut before: Option<&Bucket> = None;
        for bucket in &found {
            let name = bucket
                .record_name
                .as_deref()
                .expect("buckets of series have its name");
            let (_, model) = models
                .iter()
                .find(|(of, _)| of == name)
                .expect("a series in question");
            assert_eq!(bucket.end_ms, bucket.start_ms + width, "a bucket's length");
            assert_eq!(bucket.start_ms % width, 0, "they are counted from 1970");
            let what = format!(
                "{name} from {} of {question:?}, {gaps:?}, held for {holds_ms} ms",
                bucket.start_ms
            );
            expect_bucket(bucket, model, gaps, &what);
            let before = before
                .replace(bucket)
                .filter(|before| before.record_name == bucket.record_name);
            match before {
                Some(before) if gaps != Gaps::Skip => {
                    assert_eq!(
                        bucket.start_ms, before.end_ms,
                        "they follow each other: {what}"
                    );
                }
                Some(before) => assert!(before.end_ms <= bucket.start_ms, "in order: {what}"),
                None if gaps != Gaps::Skip => assert_eq!(
                    bucket.start_ms,
                    model.start_ms / width * width,
                    "the first one is that of the start: {what}"
                ),
                None => {}
            }
        }
        for (name, model) in &models {
            let of_series = || {
                found
                    .iter()
                    .filter(|bucket| bucket.record_name.as_deref() == Some(name))
            };
            let count: u64 = of_series().map(|bucket| bucket.summary.count()).sum();
            let own: Vec<StoredValue> = model.own.iter().copied().cloned().collect();
            assert_eq!(
                count,
                numbers(&own).len() as u64,
                "every number is in a bucket: {name} {question:?}"
            );
            if gaps != Gaps::Skip && of_series().count() > 0 {
                let known: u64 = of_series().map(|bucket| bucket.summary.known_ms()).sum();
                let whole = model.steps(model.start_ms, model.end_ms);
                assert_eq!(
                    known, whole.known_ms,
                    "buckets make up the whole: {name} {question:?}"
                );
            }
        }
        let combined = aggregate().every(length).gaps(gaps).combined().await;
        let combined = combined.expect("series can be cut into buckets together");
        let sum = |buckets: &[Bucket], of: fn(&Summary) -> u64| -> u64 {
            buckets.iter().map(|bucket| of(&bucket.summary)).sum()
        };
        for of in [Summary::count, Summary::without_value] {
            if gaps != Gaps::Skip {
                assert_eq!(
                    sum(&combined, of),
                    sum(&found, of),
                    "together: {question:?}"
                );
            }
        }
    }
}
