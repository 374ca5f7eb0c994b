//! A row that cannot be stored is refused, or stored truthfully; it never harms another.

use crate::conformance::subject::{Subject, expect_rows, in_order, row};
use crate::contract::backend::StoredValue;

/// Stores the neighbours, then the rows that may be refused, and holds what is stored against what
/// was said.
async fn expect_no_harm(subject: &Subject, neighbours: &[StoredValue], doubtful: &[StoredValue]) {
    let mut stored = neighbours.to_vec();
    subject.store_all(&stored).await;
    for row in doubtful {
        match subject.try_store(row).await {
            Err(error) if subject.keeps_declarations() => assert!(
                error.is_about_the_row(),
                "{:?} at {} must be refused with an error about this row, not: {error}",
                row.record_name,
                row.stored_at
            ),
            Err(_) => {}
            Ok(()) => {
                assert!(
                    !subject.keeps_declarations(),
                    "{:?} at {} must be refused",
                    row.record_name,
                    row.stored_at
                );
                stored.push(row.clone());
            }
        }
        expect_rows(
            &subject.select("#").await,
            &in_order(&stored),
            "a refused row must leave no trace, one that is stored must come back as it was, and neither may \
             disturb the others",
        );
    }
    for neighbour in neighbours {
        let mut of_the_record = stored.clone();
        of_the_record.retain(|row| row.record_name == neighbour.record_name);
        expect_rows(
            &subject.select(&neighbour.record_name).await,
            &in_order(&of_the_record),
            "a refused row must not disturb the record it would have belonged to",
        );
    }
}

pub(crate) async fn a_time_that_cannot_be_stored_does_no_harm(subject: Subject) {
    let neighbours = [
        row("clock", 0, 1),
        row("clock", 5, 2),
        row("clock", i64::MAX as u64, 3),
    ];
    let beyond = [i64::MAX as u64 + 1, u64::MAX - 1, u64::MAX];
    let doubtful = beyond.map(|time| row("clock", time, "beyond"));
    expect_no_harm(&subject, &neighbours, &doubtful).await;
}

pub(crate) async fn an_invalid_key_does_no_harm(subject: Subject) {
    let neighbours = ["a", "a.b", "a::b", "b"].map(|name| row(name, 1, name));
    let invalid = [
        "", ".", "a.", ".a", "a..b", "a::", "a:::b", "a*", "a.#", "{a}", "a\tb", "a\n", "a\u{0}",
        "a\u{0}b",
    ];
    let doubtful = invalid.map(|name| row(name, 1, name));
    expect_no_harm(&subject, &neighbours, &doubtful).await;
}
