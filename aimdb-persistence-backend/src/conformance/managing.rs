//! Erasing rows and renaming series, where a backend says that it can.

use crate::conformance::lottery::Lottery;
use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::StoredValue;
use crate::contract::feature::Feature;
use crate::contract::terms::SeriesDeclaration;

pub(crate) async fn erasing_removes_the_rows_of_one_series_between_two_times(subject: Subject) {
    if !subject.supports(Feature::Erasing) {
        return;
    }
    let backend = &subject.backend;
    let mut lottery = Lottery::new(21);
    let mut rows: Vec<_> = (0..2_000)
        .map(|n| row(lottery.pick(&["a.x", "a.x.y", "b"]), lottery.below(700), n))
        .collect();
    assert_eq!(subject.store_batch(&rows).await.settled, rows.len());
    rows = in_order(&rows);
    let mut ranges: Vec<_> = (0..12)
        .map(|_| lottery.below(700))
        .map(|start| (start, start + 40))
        .collect();
    ranges.extend([(10, 9), (650, u64::MAX), (0, u64::MAX), (0, u64::MAX)]);
    for (start, end) in ranges {
        for name in ["a.x", "none", "a.*"] {
            let is_erased = |row: &StoredValue| {
                row.record_name == name && (start..=end).contains(&row.stored_at)
            };
            let expected = rows.iter().filter(|row| is_erased(row)).count() as u64;
            let erased = backend.erase(name, start, end).await;
            let erased = erased.expect("rows of a series can be erased");
            assert_eq!(erased, expected, "the rows of {name} from {start} to {end}");
            rows.retain(|row| !is_erased(row));
            let what = "erasing must remove the rows in question and no other";
            expect_rows(&subject.select("#").await, &rows, what);
        }
    }
    subject.store("a.x", 1, 1).await;
    let what = "a series must go on after its rows were erased";
    expect_rows(&subject.select("a.x").await, &[row("a.x", 1, 1)], what);
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
        let of_type = read_request("*").with_template(Some("new"));
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

pub(crate) async fn a_renamed_series_takes_a_copy_of_its_declaration_along(subject: Subject) {
    if !subject.supports(Feature::Renaming) || !subject.supports(Feature::Declarations) {
        return;
    }
    let declared = |name: &str, keep_last| {
        let declaration = SeriesDeclaration::new(name).with_template("t.{n}");
        declaration.with_keep_last(keep_last)
    };
    subject
        .declare(&[declared("a", 1), declared("b", 2), declared("taken", 3)])
        .await;
    for name in ["a", "b", "emptied"] {
        subject.store(name, 1, 1).await;
    }
    subject.cleanup(u64::MAX).await;
    subject.store("a", 2, 2).await;
    subject.store("b", 2, 2).await;
    for (from, to) in [("a", "taken"), ("b", "emptied")] {
        let renamed = subject.backend.rename(from, to).await;
        renamed.expect("a series must be renamed where there are no rows in the way");
    }
    assert_eq!(
        subject.declarations("#").await,
        [
            declared("a", 1),
            declared("b", 2),
            declared("emptied", 2),
            declared("taken", 3)
        ],
        "what is declared of the old name must stay with it; of the new name it must hold, or else a copy of the old one's"
    );
    let of_type = read_request("#").with_template(Some("t.{n}"));
    let expected = [row("emptied", 2, 2), row("taken", 2, 2)];
    let what = "the renamed rows must be found as those of their type";
    expect_rows(&subject.read(of_type).await, &expected, what);
    subject.store("a", 5, 5).await;
    subject.store("a", 5, 6).await;
    let (back, forth) = (subject.backend.rename("a", "new"), "new");
    back.await.expect("the old name is a series like any other");
    let declared_new = subject.declarations(forth).await;
    assert_eq!(
        declared_new,
        [declared(forth, 1)],
        "and its declaration is there to be copied"
    );
}
