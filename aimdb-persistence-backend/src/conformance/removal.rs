//! Cleanup is literal; a sweep follows retention.

use crate::conformance::subject::{Subject, expect_rows, in_order, row};
use crate::contract::backend::StoredValue;
use crate::contract::retention::Retention;
use crate::contract::terms::{SeriesDeclaration, SweepRequest};

pub(crate) async fn cleanup_removes_what_is_older_and_says_how_many(subject: Subject) {
    let mut stored = Vec::new();
    for time in 1..=5 {
        stored.extend(["a", "a.b", "c"].map(|name| row(name, time, time)));
    }
    subject.store_all(&stored).await;
    for (older_than, expected) in [(0, 0), (1, 0), (3, 6), (3, 0), (4, 3)] {
        let removed = subject.cleanup(older_than).await;
        assert_eq!(
            removed, expected,
            "cleanup({older_than}) must say how many rows it removed"
        );
        stored.retain(|row| row.stored_at >= older_than);
        expect_rows(
            &subject.select("#").await,
            &in_order(&stored),
            "cleanup must remove every row before its time and no other",
        );
    }
}

pub(crate) async fn cleanup_at_the_end_of_time_removes_everything(subject: Subject) {
    let stored = [row("a", 0, 0), row("a", 1, 1), row("b", i64::MAX as u64, 2)];
    subject.store_all(&stored).await;
    let removed = subject.cleanup(i64::MAX as u64).await;
    assert_eq!(removed, 2, "the row at i64::MAX is not before i64::MAX");
    let removed = subject.cleanup(u64::MAX).await;
    assert_eq!(removed, 1, "the row at i64::MAX is before u64::MAX");
    let left = subject.select("#").await;
    expect_rows(
        &left,
        &[],
        "every row that can be stored is before u64::MAX",
    );
    subject.store("a", 5, "again").await;
    expect_rows(
        &subject.select("a").await,
        &[row("a", 5, "again")],
        "a record must go on after all its rows were removed",
    );
}

const NOW_MS: u64 = 1_700_000_000_000;
const DEFAULT: Retention = Retention::Milliseconds(1_000);
const LONGEST: Retention = Retention::Milliseconds(10_000);

/// Ages just above and just below each retention that the checks use.
const AGES_MS: [u64; 8] = [10_001, 10_000, 1_001, 1_000, 101, 100, 1, 0];

async fn store_at_every_age(subject: &Subject, names: &[&str]) -> Vec<StoredValue> {
    let mut stored = Vec::new();
    for name in names {
        stored.extend(AGES_MS.map(|age_ms| row(name, NOW_MS - age_ms, age_ms)));
    }
    subject.store_all(&stored).await;
    stored
}

fn declaration(record_name: &str, retention: Option<Retention>) -> SeriesDeclaration {
    SeriesDeclaration::new(record_name)
        .with_template("kept.{how}")
        .with_retention(retention)
}

fn sweep_now(longest_retention: Retention) -> SweepRequest {
    SweepRequest {
        now_ms: NOW_MS,
        default_retention: DEFAULT,
        longest_retention,
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    }
}

pub(crate) async fn a_sweep_follows_the_retentions(subject: Subject) {
    let own_retentions = [
        ("kept.long", Some(LONGEST)),
        ("kept.short", Some(Retention::Milliseconds(100))),
        ("kept.default", None),
    ];
    let declarations = own_retentions.map(|(name, retention)| declaration(name, retention));
    subject.declare(&declarations).await;
    let names = ["kept.long", "kept.short", "kept.default", "undeclared"];
    let stored = store_at_every_age(&subject, &names).await;

    let sweeps_each_series = subject.keeps_declarations();
    let promise = if sweeps_each_series {
        "a sweep must follow each series' own retention, and the default where it has none"
    } else {
        "without declarations a sweep must remove what is older than the longest retention"
    };
    let retention_of = |name: &str| {
        let mut declared = own_retentions.iter();
        let own = declared.find_map(|(declared, own)| own.filter(|_| *declared == name));
        if sweeps_each_series {
            own.unwrap_or(DEFAULT)
        } else {
            LONGEST
        }
    };
    let mut kept = stored.clone();
    kept.retain(|row| {
        let cutoff_ms = retention_of(&row.record_name).cutoff_ms(NOW_MS);
        cutoff_ms.is_none_or(|cutoff_ms| row.stored_at >= cutoff_ms)
    });

    let report = subject.sweep(sweep_now(LONGEST)).await;
    assert_eq!(
        report.put_off, None,
        "a sweep on a trusted clock must not be put off"
    );
    expect_rows(&subject.select("#").await, &in_order(&kept), promise);
    let removed = (stored.len() - kept.len()) as u64;
    assert_eq!(
        report.removed, removed,
        "a sweep must say how many rows it removed"
    );
    let again = subject.sweep(sweep_now(LONGEST)).await;
    assert_eq!(
        again.removed, 0,
        "a second sweep had nothing left to remove"
    );
}

pub(crate) async fn a_sweep_removes_nothing_that_is_kept_for_ever(subject: Subject) {
    subject
        .declare(&[declaration("kept.forever", Some(Retention::Forever))])
        .await;
    let stored = store_at_every_age(&subject, &["kept.forever"]).await;
    subject.store("kept.forever", 0, "the oldest").await;
    let report = subject.sweep(sweep_now(Retention::Forever)).await;
    assert_eq!(report.removed, 0, "rows kept for ever must not be swept");
    assert_eq!(
        subject.select("#").await.len(),
        stored.len() + 1,
        "rows kept for ever must not be swept"
    );
}
