//! The row that was stored last, which need not be the newest one.

use crate::conformance::lottery::Lottery;
use crate::conformance::subject::{Subject, row};
use crate::contract::backend::StoredValue;
use crate::contract::feature::Feature;
use crate::contract::terms::{OnDuplicate, SeriesDeclaration};

async fn expect_last(subject: &Subject, name: &str, expected: Option<&StoredValue>, promise: &str) {
    let last = subject.backend.last_stored(name).await;
    let last = last.unwrap_or_else(|error| panic!("`{name}` must be answered for, not: {error}"));
    assert!(last.len() <= 1, "one row is the last");
    let last = last.iter().next().map(|last| {
        let value = serde_json::from_str(last.json).expect("what is stored is JSON");
        StoredValue {
            value,
            ..row(last.record_name, last.stored_at, 0)
        }
    });
    assert_eq!(last.as_ref(), expected, "{promise}");
}

pub(crate) async fn the_row_stored_last_is_told_whatever_its_time(subject: Subject) {
    if !subject.supports(Feature::LastStored) {
        return;
    }
    expect_last(&subject, "a", None, "a series without rows has none").await;
    let mut lottery = Lottery::new(31);
    let names = ["a", "b", "a.x"];
    let mut last = [None, None, None];
    for n in 0..300_u64 {
        // Batches of all sizes: a backend may keep them in different places.
        let size = if lottery.once_in(20) {
            200
        } else {
            1 + lottery.below(3)
        };
        let mut batch = Vec::new();
        for m in 0..size {
            let series = lottery.below(3) as usize;
            let long = if lottery.once_in(9) { 2_000 } else { 1 };
            let value = format!("{n}/{m}").repeat(long);
            let row = row(names[series], lottery.below(1_000), value);
            last[series] = Some(row.clone());
            batch.push(row);
        }
        assert_eq!(subject.store_batch(&batch).await.settled, batch.len());
        if lottery.once_in(10) {
            for (name, last) in names.iter().zip(&last) {
                let promise = "it must be the row stored last, however old it is";
                expect_last(&subject, name, last.as_ref(), promise).await;
            }
        }
    }
}

pub(crate) async fn a_row_that_replaces_another_is_as_old_as_that(subject: Subject) {
    if !subject.supports(Feature::LastStored) || !subject.supports(Feature::OnDuplicate) {
        return;
    }
    let declared = SeriesDeclaration::new("s").with_on_duplicate(OnDuplicate::Replace);
    subject.declare(&[declared]).await;
    subject
        .store_batch(&[
            row("s", 5, "one"),
            row("s", 3, "two"),
            row("s", 5, "corrected"),
        ])
        .await;
    let promise = "a row that replaces another one must not become the last by that";
    expect_last(&subject, "s", Some(&row("s", 3, "two")), promise).await;
    subject.store("s", 5, "corrected again").await;
    expect_last(&subject, "s", Some(&row("s", 3, "two")), promise).await;
    subject.store("s", 3, "two corrected").await;
    let promise = "the last row must be told as it is by now";
    expect_last(&subject, "s", Some(&row("s", 3, "two corrected")), promise).await;
}

pub(crate) async fn of_removed_rows_none_is_the_last_stored(subject: Subject) {
    if !subject.supports(Feature::LastStored) {
        return;
    }
    // In any order of time, and so many that they do not go where a few go.
    let mut lottery = Lottery::new(32);
    let mut rows: Vec<_> = (0..500)
        .map(|n| row("s", lottery.below(1_000), n))
        .collect();
    subject.store_batch(&rows[..400]).await;
    subject.store_all(&rows[400..]).await;
    let promise = "it must be the last of the rows that are left";
    for cutoff in [100, 500, 900, 990, u64::MAX] {
        subject.cleanup(cutoff).await;
        rows.retain(|row| row.stored_at >= cutoff);
        expect_last(&subject, "s", rows.last(), promise).await;
    }
    subject.store("s", 7, "later").await;
    expect_last(&subject, "s", Some(&row("s", 7, "later")), promise).await;
    if subject.supports(Feature::Renaming) {
        let renamed = subject.backend.rename("s", "t").await;
        renamed.expect("a series must be renamed where there are no rows in the way");
        expect_last(&subject, "s", None, "its rows have gone").await;
        expect_last(
            &subject,
            "t",
            Some(&row("t", 7, "later")),
            "with their order",
        )
        .await;
    }
    if subject.supports(Feature::Erasing) {
        subject
            .store_all(&[row("t", 9, "nine"), row("t", 8, "eight")])
            .await;
        let erased = subject.backend.erase("t", 8, 8).await;
        erased.expect("rows of a series can be erased");
        expect_last(&subject, "t", Some(&row("t", 9, "nine")), promise).await;
    }
}
