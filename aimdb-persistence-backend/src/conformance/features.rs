//! What is asked of a backend that says it [supports](PersistenceBackend::supports) a feature.
//!
//! [`PersistenceBackend::supports`]: crate::PersistenceBackend::supports

use std::sync::Arc;

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row, rows_of};
use crate::contract::backend::StoredValue;
use crate::contract::feature::Feature;
use crate::contract::retention::Retention;
use crate::contract::rows::Rows;
use crate::contract::terms::{OnDuplicate, SeriesDeclaration, SweepRequest};

const NOW_MS: u64 = 1_700_000_000_000;
const HOUR_MS: u64 = 3_600_000;

fn hourly_sweep() -> SweepRequest {
    SweepRequest {
        now_ms: NOW_MS,
        default_retention: Retention::Milliseconds(HOUR_MS),
        longest_retention: Retention::Milliseconds(HOUR_MS),
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    }
}

/// Rows of these ages in minutes, each a value of its own.
fn aged(record_name: &str, ages_minutes: &[u64]) -> Vec<StoredValue> {
    let rows = ages_minutes.iter();
    rows.map(|age| row(record_name, NOW_MS - age * 60_000, *age))
        .collect()
}

pub(crate) async fn the_version_of_a_row_comes_back_with_it(subject: Subject) {
    if !subject.supports(Feature::SchemaVersions) {
        return;
    }
    let versions = [0, 1, 2, 7, u32::MAX];
    let mut rows = Rows::new();
    for (at, version) in (1..).zip(versions) {
        rows.push_versioned("v", at, "1", version);
        rows.push_versioned("long", at, &format!("\"{}\"", "x".repeat(5_000)), version);
    }
    let outcome = subject.backend.store_batch(Arc::new(rows)).await;
    assert_eq!(outcome.settled, 2 * versions.len());
    for name in ["v", "long"] {
        for max_rows in [1, usize::MAX] {
            let mut request = read_request(name).with_page(max_rows, usize::MAX);
            let mut found = Vec::new();
            loop {
                let page = subject.page(request.clone()).await;
                found.extend(page.rows.iter().map(|row| row.version));
                match page.next {
                    Some(next) => request.after = Some(next),
                    None => break,
                }
            }
            found.reverse();
            assert_eq!(
                found, versions,
                "a row of `{name}` must come back with the version it was stored with"
            );
        }
    }
}

pub(crate) async fn a_sweep_leaves_the_newest_rows_however_old(subject: Subject) {
    if !subject.supports(Feature::KeepLast) {
        return;
    }
    // In no order of time, and more are kept than there are.
    let ages = [300, 10, 400, 200, 5, 90];
    let kept = [
        ("none", 0, &[10, 5][..]),
        ("fewer", 1, &[10, 5]),
        ("one_expired", 3, &[10, 5, 90]),
        ("all", 60, &ages),
    ];
    let declarations =
        kept.map(|(name, rows, _)| SeriesDeclaration::new(name).with_keep_last(rows));
    subject.declare(&declarations).await;
    let mut expected = Vec::new();
    for (name, _, kept) in kept {
        subject.store_all(&aged(name, &ages)).await;
        expected.extend(aged(name, kept));
    }
    subject.store_all(&aged("old", &[200, 100])).await;
    subject
        .declare(&[SeriesDeclaration::new("old").with_keep_last(1)])
        .await;
    expected.extend(aged("old", &[100]));
    for _ in 0..2 {
        subject.sweep(hourly_sweep()).await;
        expect_rows(
            &subject.select("#").await,
            &in_order(&expected),
            "a sweep must leave the newest rows that are to be kept, and of the others those that have not expired",
        );
    }
    let removed = subject.cleanup(NOW_MS).await;
    assert_eq!(
        removed,
        expected.len() as u64,
        "a cleanup stays literal, whatever is to be kept"
    );
}

pub(crate) async fn a_sweep_removes_rows_beyond_the_greatest_number(subject: Subject) {
    if !subject.supports(Feature::MaxRows) {
        return;
    }
    let ages = [50, 10, 40, 200, 5, 100];
    let kept = [
        ("capped", 3, 0, &[10, 40, 5][..]),
        ("by_age_first", 5, 0, &[10, 40, 5, 50]),
        ("with_room", 60, 0, &[10, 40, 5, 50]),
        ("with_floor", 5, 5, &[10, 40, 5, 50, 100]),
    ];
    let declarations = kept.map(|(name, most, least, _)| {
        SeriesDeclaration::new(name)
            .with_max_rows(most)
            .with_keep_last(least)
    });
    subject.declare(&declarations).await;
    let mut expected = Vec::new();
    for (name, _, _, kept) in kept {
        subject.store_all(&aged(name, &ages)).await;
        expected.extend(aged(name, kept));
    }
    for _ in 0..2 {
        subject.sweep(hourly_sweep()).await;
        expect_rows(
            &subject.select("#").await,
            &in_order(&expected),
            "a sweep must remove the oldest rows beyond the greatest number, and those that have expired",
        );
    }
}

pub(crate) async fn rows_ahead_of_the_clock_are_none_of_the_newest_to_keep(subject: Subject) {
    if !subject.supports(Feature::KeepLast) {
        return;
    }
    let declared = SeriesDeclaration::new("s").with_keep_last(2);
    subject.declare(&[declared]).await;
    let mut expected = aged("s", &[120, 90]);
    subject.store_all(&aged("s", &[300, 120, 90])).await;
    let sweep = hourly_sweep();
    for ahead_ms in [sweep.max_ahead_ms + 1, 50 * HOUR_MS, 1_000 * HOUR_MS] {
        let future = row("s", NOW_MS + ahead_ms, "of the future");
        subject.store_all(std::slice::from_ref(&future)).await;
        expected.push(future);
    }
    subject.sweep(sweep).await;
    expect_rows(
        &subject.select("s").await,
        &in_order(&expected),
        "the newest rows to keep must be those that do not lie far ahead of the clock",
    );
    let soon = row("s", NOW_MS + sweep.max_ahead_ms, "soon");
    subject.store_all(std::slice::from_ref(&soon)).await;
    expected.retain(|row| row.stored_at != NOW_MS - 120 * 60_000);
    expected.push(soon);
    subject.sweep(sweep).await;
    expect_rows(
        &subject.select("s").await,
        &in_order(&expected),
        "a row that is ahead by no more than that counts",
    );
}

/// Two rows of one time, one of another in between, in each way in which rows can arrive.
async fn store_duplicates(subject: &Subject, name: &str, one_by_one: bool) -> [usize; 3] {
    let rows = [
        row(name, 5, "old"),
        row(name, 6, "other"),
        row(name, 5, "new"),
    ];
    let mut settled = [0, 0, 0];
    for batch in rows.chunks(if one_by_one { 1 } else { rows.len() }) {
        let outcome = subject.store_batch(batch).await;
        assert!(outcome.refused.is_empty(), "a duplicate is no error");
        settled[0] += outcome.settled;
        settled[1] += outcome.left_out.len();
        settled[2] += outcome.replaced.len();
    }
    settled
}

pub(crate) async fn of_rows_with_one_time_as_many_are_kept_as_declared(subject: Subject) {
    if !subject.supports(Feature::OnDuplicate) {
        return;
    }
    for (way, kept, left_out, replaced) in [
        (OnDuplicate::Keep, &["other", "new", "old"][..], 0, 0),
        (OnDuplicate::Replace, &["other", "new"], 0, 1),
        (OnDuplicate::Ignore, &["other", "old"], 1, 0),
    ] {
        for one_by_one in [true, false] {
            let name = format!("{way:?}.{one_by_one}");
            let declaration = SeriesDeclaration::new(&*name).with_on_duplicate(way);
            subject.declare(&[declaration]).await;
            let settled = store_duplicates(&subject, &name, one_by_one).await;
            assert_eq!(
                settled,
                [3, left_out, replaced],
                "{way:?}: every row is settled, and a row that is left out, or takes another one's place, is named as such"
            );
            let page = subject.page(read_request(&name)).await;
            let values: Vec<_> = rows_of(&page).into_iter().map(|row| row.value).collect();
            assert_eq!(
                values, kept,
                "{way:?}: of rows with one time as many must be kept as declared (one by one: {one_by_one})"
            );
        }
    }
    // Another declaration concerns what comes after it.
    let declaration = SeriesDeclaration::new("Keep.true").with_on_duplicate(OnDuplicate::Replace);
    subject.declare(&[declaration]).await;
    subject.store("Keep.true", 5, "newest").await;
    let values = subject.select("Keep.true").await;
    let values: Vec<_> = values.into_iter().map(|row| row.value).collect();
    assert_eq!(
        values,
        ["other", "newest", "old"],
        "where several rows have one time already, the one stored last is replaced"
    );
}
