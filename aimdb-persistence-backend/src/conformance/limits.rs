//! Limits count per record; time bounds include their ends.

use crate::conformance::subject::{Subject, expect_rows, in_order, row};
use crate::contract::backend::{QueryParams, StoredValue};

/// Three records of one, three and five rows, at the times 10, 20, …
async fn three_records(subject: &Subject) -> Vec<StoredValue> {
    let mut stored = Vec::new();
    for (name, rows) in [("n.one", 1), ("n.three", 3), ("n.five", 5)] {
        stored.extend((1..=rows).map(|n| row(name, n * 10, n)));
    }
    subject.store_all(&stored).await;
    in_order(&stored)
}

/// What a query must return, by the definition of its parameters.
fn filtered(rows: &[StoredValue], params: &QueryParams) -> Vec<StoredValue> {
    let mut expected: Vec<StoredValue> = Vec::new();
    for row in rows {
        let after_start = params.start_time.is_none_or(|start| row.stored_at >= start);
        let before_end = params.end_time.is_none_or(|end| row.stored_at <= end);
        let of_record = |other: &&StoredValue| other.record_name == row.record_name;
        let taken = expected.iter().filter(of_record).count();
        if after_start && before_end && params.limit_per_record.is_none_or(|limit| taken < limit) {
            expected.push(row.clone());
        }
    }
    expected
}

async fn expect_filtered(
    subject: &Subject,
    rows: &[StoredValue],
    params: QueryParams,
    promise: &str,
) {
    let expected = filtered(rows, &params);
    let actual = subject.query("n.*", params.clone()).await;
    expect_rows(&actual, &expected, &format!("{promise} ({params:?})"));
}

fn limit(limit: usize) -> QueryParams {
    QueryParams {
        limit_per_record: Some(limit),
        ..QueryParams::default()
    }
}

fn between(start: u64, end: u64) -> QueryParams {
    QueryParams {
        limit_per_record: None,
        start_time: Some(start),
        end_time: Some(end),
    }
}

pub(crate) async fn the_limit_holds_for_each_record(subject: Subject) {
    let rows = three_records(&subject).await;
    let promise = "a limit must hold for each record, not for the whole answer";
    for most in 1..=6 {
        expect_filtered(&subject, &rows, limit(most), promise).await;
    }
}

pub(crate) async fn the_limit_takes_the_newest_within_the_bounds(subject: Subject) {
    let rows = three_records(&subject).await;
    let promise = "a limit must take the newest of the rows within the time bounds";
    for (start, end) in [(20, 40), (10, 30), (11, 39), (50, 60)] {
        let params = QueryParams {
            limit_per_record: Some(2),
            ..between(start, end)
        };
        expect_filtered(&subject, &rows, params, promise).await;
    }
}

pub(crate) async fn a_limit_of_zero_returns_nothing_and_a_huge_one_everything(subject: Subject) {
    let rows = three_records(&subject).await;
    expect_filtered(&subject, &rows, limit(0), "a limit of 0 must return no row").await;
    for huge in [
        u32::MAX as usize,
        i64::MAX as usize,
        usize::MAX - 1,
        usize::MAX,
    ] {
        let promise = "a limit larger than any history must return every row";
        expect_filtered(&subject, &rows, limit(huge), promise).await;
    }
}

pub(crate) async fn time_bounds_include_their_ends(subject: Subject) {
    let rows = three_records(&subject).await;
    let promise = "time bounds must include the rows at their ends, and no row beyond";
    for (start, end) in [
        (10, 30),
        (20, 20),
        (9, 11),
        (11, 19),
        (11, 29),
        (0, 10),
        (50, 99),
    ] {
        expect_filtered(&subject, &rows, between(start, end), promise).await;
        let from_start = QueryParams {
            end_time: None,
            ..between(start, end)
        };
        expect_filtered(&subject, &rows, from_start, promise).await;
        let to_end = QueryParams {
            start_time: None,
            ..between(start, end)
        };
        expect_filtered(&subject, &rows, to_end, promise).await;
    }
}

pub(crate) async fn a_range_that_ends_before_it_starts_is_empty(subject: Subject) {
    three_records(&subject).await;
    for (start, end) in [(30, 20), (21, 20), (u64::MAX, 0), (1, 0)] {
        expect_rows(
            &subject.query("n.*", between(start, end)).await,
            &[],
            "a range that ends before it starts must be answered with no row",
        );
    }
}

pub(crate) async fn time_bounds_beyond_every_row_are_answered(subject: Subject) {
    let rows = three_records(&subject).await;
    let beyond = i64::MAX as u64 + 1;
    for (start, end) in [
        (0, u64::MAX),
        (0, beyond),
        (beyond, u64::MAX),
        (u64::MAX, u64::MAX),
    ] {
        let promise = "time bounds beyond what can be stored must be answered like any other";
        expect_filtered(&subject, &rows, between(start, end), promise).await;
    }
}
