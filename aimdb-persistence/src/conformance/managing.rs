//! Deleting rows by a question, where a backend says that it can erase.

use aimdb_persistence_backend::internal::{Lottery, Subject, expect_rows, row};
use aimdb_persistence_backend::{Feature, Pattern, StoredValue};

use crate::conformance::questions::{history, store_rows};

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
        let question = || history(&subject, pattern).between(start, end);
        let would = question().would_delete().await.expect("it can be said");
        let deleted = question().delete().await.expect("rows can be deleted");
        let said: Vec<_> = would.into_iter().map(|s| (s.record_name, s.rows)).collect();
        let done: Vec<_> = deleted
            .into_iter()
            .map(|s| (s.record_name, Some(s.rows)))
            .collect();
        assert_eq!(done, said, "what is deleted must be what was said");
        let selects = Pattern::parse(pattern).expect("a pattern");
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
    history(&subject, "#")
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
