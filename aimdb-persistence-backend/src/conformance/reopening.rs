//! What outlasts a backend whose storage can be opened again; nothing is asked of one whose rows end with it.

use std::sync::Arc;

use crate::conformance::declarations::{all_kinds, expect_declared};
use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::StoredValue;
use crate::contract::feature::Feature;
use crate::contract::rows::Rows;

pub(crate) async fn rows_outlast_the_backend(subject: Subject) {
    let mut stored: Vec<StoredValue> = (0..300)
        .map(|n| row(["a.x", "a.y", "b"][n as usize % 3], n / 4, n))
        .collect();
    subject.store_batch(&stored).await;
    let mut last = Rows::new();
    last.push_versioned("a.x", 3, "\"a tie\"", 7);
    subject.backend.store_batch(Arc::new(last)).await;
    stored.push(row("a.x", 3, "a tie"));
    subject.flush().await;
    let has_versions = subject.supports(Feature::SchemaVersions);
    let Some(subject) = subject.reopen().await else {
        return;
    };
    let what = "rows must be there, in their order, when the storage is opened again";
    expect_rows(&subject.select("#").await, &in_order(&stored), what);
    if has_versions {
        let request = read_request("a.x").with_times(3, 3);
        let page = subject.page(request).await;
        let newest = page.rows.get(0).expect("the row is there");
        assert_eq!(newest.version, 7, "a row must keep its version");
    }
    stored.push(row("a.x", 3, "a tie of the second run"));
    subject.store("a.x", 3, "a tie of the second run").await;
    let what = "of equal times the one stored last must come first, whichever run stored it";
    expect_rows(&subject.select("#").await, &in_order(&stored), what);
}

pub(crate) async fn declarations_outlast_the_backend(subject: Subject) {
    let can_say = subject.supports(Feature::Declarations);
    subject.declare(&all_kinds()).await;
    subject.store("a.undeclared", 1, 1).await;
    subject.flush().await;
    let Some(subject) = subject.reopen().await else {
        return;
    };
    if can_say {
        expect_declared(&subject.declarations("#").await, &all_kinds());
    }
    subject.declare(&all_kinds()[..1]).await;
    let what = "declaring again must change no row";
    expect_rows(
        &subject.select("#").await,
        &[row("a.undeclared", 1, 1)],
        what,
    );
}
