//! A scan shows what pages show, stops where it is told to, and goes on from there.

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::StoredValue;
use crate::contract::read::{Order, ReadRequest};
use crate::contract::rows::Row;
use crate::contract::scan::{RowVisitor, ScanRest, Visit};

/// Rows of five series under `prefix`, with ties, more than a page holds in one of them.
async fn store_many(subject: &Subject, prefix: &str) -> Vec<StoredValue> {
    let mut rows = Vec::new();
    for (name, count) in [("a", 7), ("b", 1), ("c", 1_500), ("d", 40), ("e", 2)] {
        let name = format!("{prefix}.{name}");
        rows.extend((0..count).map(|n| row(&name, 100 + n * 7 % count / 2, n)));
    }
    let outcome = subject.store_batch(&rows).await;
    assert_eq!(outcome.settled, rows.len(), "a batch must be stored");
    in_order(&rows)
}

/// Looks at rows, and stops after so many.
struct Looker {
    stop_after: usize,
    skip_after: usize,
    unwanted: Option<String>,
    rows: Vec<StoredValue>,
    begun: Vec<String>,
    of_this_series: usize,
}

impl Looker {
    fn new() -> Self {
        Self {
            stop_after: usize::MAX,
            skip_after: usize::MAX,
            unwanted: None,
            rows: Vec::new(),
            begun: Vec::new(),
            of_this_series: 0,
        }
    }
}

impl RowVisitor for Looker {
    fn begin_series(&mut self, record_name: &str) -> bool {
        self.begun.push(record_name.to_owned());
        self.of_this_series = 0;
        self.unwanted.as_deref() != Some(record_name)
    }

    fn visit(&mut self, row: Row<'_>) -> Visit {
        let value = serde_json::from_str(row.json).expect("a scan shows JSON");
        self.rows.push(StoredValue {
            record_name: row.record_name.to_owned(),
            value,
            stored_at: row.stored_at,
        });
        self.of_this_series += 1;
        if self.rows.len().is_multiple_of(self.stop_after) {
            Visit::Stop
        } else if self.of_this_series == self.skip_after {
            Visit::NextSeries
        } else {
            Visit::Continue
        }
    }
}

impl Subject {
    /// Scans until the looker stops or there is nothing left.
    async fn scan(
        &self,
        request: ReadRequest,
        rest: Option<ScanRest>,
        looker: Looker,
    ) -> (Looker, Option<ScanRest>) {
        let scanned = self.backend.scan(request, rest, Box::new(looker)).await;
        let mut scanned =
            scanned.unwrap_or_else(|error| panic!("a scan must succeed, not: {error}"));
        let rest = scanned.rest.take();
        (scanned.into_visitor(), rest)
    }
}

fn names(rows: &[StoredValue]) -> Vec<String> {
    let mut names: Vec<_> = rows.iter().map(|row| row.record_name.clone()).collect();
    names.dedup();
    names
}

pub(crate) async fn a_scan_shows_what_pages_show(subject: Subject) {
    let rows = store_many(&subject, "scan").await;
    for order in [Order::NewestFirst, Order::OldestFirst] {
        for limit in [None, Some(0), Some(3), Some(1_200)] {
            for (start, end) in [(None, None), (Some(102), Some(400)), (Some(400), Some(102))] {
                let request = read_request("scan.*")
                    .with_order(order)
                    .with_limit(limit)
                    .with_times(start, end);
                let expected = subject.read(request.clone()).await;
                let (looker, rest) = subject.scan(request, None, Looker::new()).await;
                let promise = "a scan must show what pages show, in the same order";
                expect_rows(&looker.rows, &expected, promise);
                assert_eq!(
                    looker.begun,
                    names(&expected),
                    "each series that has rows must begin once, in order"
                );
                assert!(rest.is_none(), "a scan that was not stopped has no rest");
            }
        }
    }
    let (looker, _) = subject
        .scan(read_request("scan.*"), None, Looker::new())
        .await;
    expect_rows(&looker.rows, &rows, "a scan must show every row");
}

pub(crate) async fn a_scan_goes_on_where_it_stopped(subject: Subject) {
    for order in [Order::NewestFirst, Order::OldestFirst] {
        for stop_after in [1, 5, 7, 999, 1_000, 1_001] {
            let prefix = format!("{order:?}{stop_after}");
            let rows = store_many(&subject, &prefix).await;
            let request = read_request(&format!("{prefix}.*")).with_order(order);
            let expected = subject.read(request.clone()).await;
            let mut looker = Looker {
                stop_after,
                ..Looker::new()
            };
            let mut rest = None;
            let mut scans = 0;
            loop {
                (looker, rest) = subject.scan(request.clone(), rest, looker).await;
                if scans < 3 {
                    for (name, time) in [("a", 1), ("c", 150), ("c", 9_999), ("z", 1)] {
                        subject
                            .store(&format!("{prefix}.{name}"), time, "new")
                            .await;
                    }
                }
                scans += 1;
                if rest.is_none() {
                    break;
                }
                assert!(
                    scans <= rows.len() + 1,
                    "a stopped scan must go on, and end"
                );
            }
            expect_rows(
                &looker.rows,
                &expected,
                "a scan that stops and goes on must show each row once that was there when it began, and no other",
            );
            assert_eq!(
                looker.begun,
                names(&expected),
                "each series must begin once"
            );
            let least = rows.len() / stop_after;
            assert!(scans >= least, "a scan must stop where the visitor says so");
        }
    }
}

pub(crate) async fn a_visitor_may_leave_a_series_early(subject: Subject) {
    let rows = store_many(&subject, "scan").await;
    for skip_after in [1, 2, 1_001] {
        let looker = Looker {
            skip_after,
            unwanted: Some("scan.d".to_owned()),
            ..Looker::new()
        };
        let (looker, _) = subject.scan(read_request("scan.*"), None, looker).await;
        let mut expected = rows.clone();
        let mut of_series = (String::new(), 0);
        expected.retain(|row| {
            if of_series.0 != row.record_name {
                of_series = (row.record_name.clone(), 0);
            }
            of_series.1 += 1;
            of_series.1 <= skip_after && row.record_name != "scan.d"
        });
        let promise = "a scan must go on with the next series when the visitor says so";
        expect_rows(&looker.rows, &expected, promise);
        assert_eq!(looker.begun, names(&rows), "every series must begin");
    }
}

pub(crate) async fn a_scan_without_json_shows_every_row(subject: Subject) {
    struct Times(Vec<(String, u64)>);

    impl RowVisitor for Times {
        fn visit(&mut self, row: Row<'_>) -> Visit {
            self.0.push((row.record_name.to_owned(), row.stored_at));
            Visit::Continue
        }

        fn needs_json(&self) -> bool {
            false
        }
    }

    let rows = store_many(&subject, "scan").await;
    let request = read_request("scan.*");
    let scanned = subject
        .backend
        .scan(request, None, Box::new(Times(Vec::new())))
        .await;
    let Times(times) = scanned.expect("a scan must succeed").into_visitor();
    let expected: Vec<_> = rows
        .into_iter()
        .map(|row| (row.record_name, row.stored_at))
        .collect();
    assert!(
        times == expected,
        "whoever needs no JSON must still see every row in order"
    );
}
