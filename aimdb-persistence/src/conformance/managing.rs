//! Deleting rows and renaming series, where a backend says that it can.

use crate::conformance::lottery::Lottery;
use crate::conformance::questions::store_rows;
use crate::conformance::subject::{Subject, expect_rows, in_order, row};
use crate::contract::backend::{Feature, SeriesDeclaration, StoredValue};

pub(crate) async fn what_is_deleted_is_what_was_said_and_nothing_else(subject: Subject) {
    if !subject.supports(Feature::Erasing) {
        return;
    }
    let mut lottery = Lottery::new(21);
    let mut rows = store_rows(&subject, &mut lottery, 2_000).await;
    let newest = rows.iter().map(|row| row.stored_at).max().unwrap_or(0);
    for _ in 0..12 {
        let pattern = lottery.pick(&["a.x", "a.*", "none", "#"]);
        let start = lottery.below(newest);
        let end = start + lottery.below(newest / 6 + 1);
        let question = || subject.history(pattern).between(start, end);
        let would = question().would_delete().await.expect("it can be said");
        let deleted = question().delete().await.expect("rows can be deleted");
        let said: Vec<_> = would.into_iter().map(|s| (s.record_name, s.rows)).collect();
        let done: Vec<_> = deleted
            .into_iter()
            .map(|s| (s.record_name, Some(s.rows)))
            .collect();
        assert_eq!(done, said, "what is deleted must be what was said");
        let selects = crate::contract::pattern::Pattern::parse(pattern).expect("a pattern");
        let is_deleted = |row: &StoredValue| {
            selects.matches(&row.record_name) && (start..=end).contains(&row.stored_at)
        };
        let expected: u64 = rows.iter().filter(|row| is_deleted(row)).count() as u64;
        let found: u64 = done.iter().filter_map(|(_, rows)| *rows).sum();
        assert_eq!(found, expected, "{pattern} from {start} to {end}");
        rows.retain(|row| !is_deleted(row));
        let what = "a deletion must remove the rows in question and no other";
        expect_rows(&subject.select("#").await, &rows, what);
    }
    subject
        .history("#")
        .delete()
        .await
        .expect("all can be deleted");
    expect_rows(&subject.select("#").await, &[], "all rows must be deleted");
    subject.store("a.x", 1, 1).await;
    let again = subject.select("#").await;
    expect_rows(
        &again,
        &[row("a.x", 1, 1)],
        "a series must go on after a deletion",
    );
}

pub(crate) async fn a_renamed_series_keeps_its_rows(subject: Subject) {
    if !subject.supports(Feature::Renaming) {
        return;
    }
    let backend = &subject.backend;
    let rows = |name: &str| -> Vec<_> { (0..200).map(|at| row(name, at, at)).collect() };
    subject.store_batch(&rows("old")).await;
    subject.store("old", 7, "a tie").await;
    subject.store("other", 1, 1).await;
    for (from, to) in [("none", "new"), ("old", "other"), ("old", "a..b")] {
        let refused = backend.rename(from, to).await;
        assert!(refused.is_err(), "{from} must not be renamed to {to}");
    }
    let declared = SeriesDeclaration::new("new").with_template("new");
    subject.declare(&[declared]).await;
    let renamed = backend.rename("old", "new").await;
    renamed.expect("a series must be renamed where there are no rows in the way");
    let mut expected = rows("new");
    expected.push(row("new", 7, "a tie"));
    expected.push(row("other", 1, 1));
    let what = "a renamed series must keep its rows, and no other be touched";
    expect_rows(&subject.select("#").await, &in_order(&expected), what);
    if subject.keeps_declarations() {
        let of_type = crate::conformance::subject::read_request("*").with_template("new");
        let found = subject.read(of_type).await.len();
        assert_eq!(found, 201, "what is declared of the new name must hold");
    }
    subject.store("old", 3, "later").await;
    expected.push(row("old", 3, "later"));
    expect_rows(
        &subject.select("#").await,
        &in_order(&expected),
        "under the old name a new series must begin",
    );
}
