//! A batch is its rows, stored in order; what cannot be stored is listed, and the rest is stored.

use crate::conformance::subject::{Subject, expect_rows, in_order, row};
use crate::contract::backend::StoredValue;
use crate::contract::terms::BatchOutcome;

fn expect_all_stored(outcome: &BatchOutcome, rows: usize) {
    assert!(
        outcome.stopped_by.is_none() && outcome.refused.is_empty() && outcome.settled == rows,
        "a batch of {rows} valid rows must be settled whole, not: {outcome:?}"
    );
}

/// Rows of three records in turn, their times neither ascending nor distinct.
fn mixed_rows(prefix: &str, rows: u64) -> Vec<StoredValue> {
    let names = ["a", "b", "c"];
    let mixed = |n: u64| {
        let name = format!("{prefix}.{}", names[(n % 3) as usize]);
        row(&name, n * 7 % 11, format!("row {n} \"ü\""))
    };
    (0..rows).map(mixed).collect()
}

pub(crate) async fn a_batch_is_stored_like_its_rows_one_by_one(subject: Subject) {
    let in_batch = mixed_rows("batch", 100);
    expect_all_stored(&subject.store_batch(&in_batch).await, in_batch.len());
    expect_rows(
        &subject.select("batch.*").await,
        &in_order(&in_batch),
        "a batch must be stored as its rows would be one after another",
    );
    let one_by_one = mixed_rows("single", 100);
    subject.store_all(&one_by_one).await;
    expect_rows(
        &subject.select("single.*").await,
        &in_order(&one_by_one),
        "rows stored one by one must all be there",
    );
}

pub(crate) async fn of_equal_times_the_last_row_of_a_batch_comes_first(subject: Subject) {
    let rows: Vec<_> = (0..9).map(|n| row("tie", 5, n)).collect();
    let (first, rest) = rows.split_at(1);
    let (batch, rest) = rest.split_at(3);
    let (second_batch, last) = rest.split_at(4);
    subject.store_all(first).await;
    expect_all_stored(&subject.store_batch(batch).await, batch.len());
    let outcome = subject.store_batch(second_batch).await;
    expect_all_stored(&outcome, second_batch.len());
    subject.store_all(last).await;
    expect_rows(
        &subject.select("tie").await,
        &in_order(&rows),
        "of rows with the same time the one stored last must come first, within a batch and across batches",
    );
}

pub(crate) async fn an_empty_batch_is_settled_at_once(subject: Subject) {
    expect_all_stored(&subject.store_batch(&[]).await, 0);
    let rows = subject.select("#").await;
    expect_rows(&rows, &[], "an empty batch must store nothing");
}

pub(crate) async fn an_unstorable_row_holds_up_no_other(subject: Subject) {
    let rows = [
        row("good.a", 1, 1),
        row("good.a", u64::MAX, "beyond what can be stored"),
        row("good.a", 1, 2),
        row("bad..key", 2, "no key"),
        row("good.b", 3, 3),
        row("good.a", 2, 4),
    ];
    let unstorable = [1, 3];
    if subject.keeps_declarations() {
        let outcome = subject.store_batch(&rows).await;
        let refused: Vec<_> = outcome.refused.iter().map(|(index, _)| *index).collect();
        assert!(
            outcome.stopped_by.is_none() && refused == unstorable,
            "rows {unstorable:?} must be listed in `refused` and not stop the batch: {outcome:?}"
        );
        assert_eq!(outcome.settled, rows.len(), "refused rows are settled");
        let good = [0, 2, 4, 5].map(|index| rows[index].clone());
        expect_rows(
            &subject.select("#").await,
            &in_order(&good),
            "the rows around an unstorable one must all be stored",
        );
    } else {
        store_past_refusals(&subject, &rows).await;
    }
}

/// Gives up the row that stops a batch, as a recorder does in the end, and goes on behind it. Which
/// rows are unstorable is the backend's own business; that it says so truthfully is not.
async fn store_past_refusals(subject: &Subject, rows: &[StoredValue]) {
    let mut stored = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let outcome = subject.store_batch(rest).await;
        let (settled, behind) = rest.split_at(outcome.settled.min(rest.len()));
        let is_refused =
            |index: usize| outcome.refused.iter().any(|(refused, _)| *refused == index);
        let accepted = settled.iter().enumerate().filter(|(i, _)| !is_refused(*i));
        stored.extend(accepted.map(|(_, row)| row.clone()));
        assert!(
            behind.is_empty() == outcome.stopped_by.is_none(),
            "a batch must say why it ended before its last row, and only then: {outcome:?}"
        );
        rest = behind.get(1..).unwrap_or_default();
    }
    expect_rows(
        &subject.select("#").await,
        &in_order(&stored),
        "what a batch settles and does not refuse must be stored, and nothing else",
    );
    let good = stored
        .iter()
        .filter(|row| row.record_name.starts_with("good.") && row.stored_at < 10);
    assert_eq!(
        good.count(),
        4,
        "the rows around an unstorable one must all be stored"
    );
}
