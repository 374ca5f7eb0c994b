//! By record name, then newest first; of equal times, the row stored last comes first.

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::{QueryParams, StoredValue};
use crate::contract::read::Order;

pub(crate) async fn rows_come_by_record_name_then_newest_first(subject: Subject) {
    let names = ["b", "a::b", "Z", "é", "a.b", "a", "10", "2", "😀"];
    let times = [30, 10, 50, 20, 40];
    let mut stored = Vec::new();
    for time in times {
        stored.extend(names.map(|name| row(name, time, format!("{name}@{time}"))));
    }
    subject.store_all(&stored).await;
    let promise = "rows must come by record name (in byte order), then newest first";
    expect_rows(&subject.select("#").await, &in_order(&stored), promise);
    let read = subject.read(read_request("#")).await;
    expect_rows(&read, &in_order(&stored), promise);
}

pub(crate) async fn of_equal_times_the_row_stored_last_comes_first(subject: Subject) {
    let stored: Vec<_> = [(5, 1), (5, 2), (7, 3), (5, 4), (7, 5), (3, 6), (5, 7)]
        .map(|(time, value)| row("tie", time, value))
        .into();
    subject.store_all(&stored).await;
    let expected = in_order(&stored);
    let promise = "of rows with the same time, the one stored last must come first";
    expect_rows(&subject.select("tie").await, &expected, promise);
    for limit in 1..=expected.len() {
        let limited = QueryParams {
            limit_per_record: Some(limit),
            ..QueryParams::default()
        };
        let rows = subject.query("tie", limited).await;
        expect_rows(&rows, &expected[..limit], promise);
    }
}

pub(crate) async fn equal_rows_are_each_kept(subject: Subject) {
    let stored = vec![row("same", 1, "same"); 3];
    subject.store_all(&stored).await;
    expect_rows(
        &subject.select("same").await,
        &stored,
        "a row that equals an earlier one in name, time and value is a row of its own",
    );
}

pub(crate) async fn oldest_first_is_the_exact_reverse_within_each_record(subject: Subject) {
    let times = [5, 3, 5, 9, 5, 1, 9];
    let mut stored = Vec::new();
    for (index, time) in times.into_iter().enumerate() {
        stored.extend(["a", "b.c"].map(|name| row(name, time, index)));
    }
    subject.store_all(&stored).await;
    let mut oldest_first = in_order(&stored);
    let of_one_record = |one: &StoredValue, next: &StoredValue| one.record_name == next.record_name;
    for record in oldest_first.chunk_by_mut(of_one_record) {
        record.reverse();
    }
    for max_rows in 1..=stored.len() {
        for limit in [1, 3, usize::MAX] {
            let request = read_request("#")
                .with_order(Order::OldestFirst)
                .with_limit(limit)
                .with_times(3, 5)
                .with_page(max_rows, usize::MAX);
            let mut expected = oldest_first.clone();
            expected.retain(|row| (3..=5).contains(&row.stored_at));
            let expected: Vec<_> = expected
                .chunk_by(of_one_record)
                .flat_map(|record| record.iter().take(limit).cloned())
                .collect();
            let promise = "oldest first must be the reverse of newest first within each record, \
                           with the same bounds, and the limit taking the oldest";
            expect_rows(&subject.read(request).await, &expected, promise);
        }
    }
}
