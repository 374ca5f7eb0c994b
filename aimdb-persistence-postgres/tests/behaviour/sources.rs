//! Many sources in one database: who holds which, and who sees what.

use std::sync::Arc;

use aimdb_persistence::backend::{
    Feature, Order, Page, ReadRequest, Row, RowVisitor, SeriesDeclaration, StorageErrorKind, Visit,
};
use aimdb_persistence::{Pattern, PersistenceBackend};
use aimdb_persistence_postgres::PostgresBackend;

use crate::support::{builder, open, rows, scratch, session, values};

/// Record, source and time of each row.
type Seen = (String, Option<String>, u64);

fn seen(page: &Page) -> Vec<Seen> {
    let rows = page.rows.iter();
    rows.map(|row| {
        let source = row.source.map(|source| source.to_string());
        (row.record_name.to_owned(), source, row.stored_at)
    })
    .collect()
}

fn expected(rows: &[(&str, &str, u64)]) -> Vec<Seen> {
    let rows = rows.iter();
    rows.map(|(name, source, at)| ((*name).to_owned(), Some((*source).to_owned()), *at))
        .collect()
}

#[tokio::test]
async fn a_program_without_a_source_is_told_to_give_one() {
    let Some(place) = scratch() else { return };
    let opened = PostgresBackend::builder(&place.url).connect().await;
    let error = opened.expect_err("a source is required");
    assert_eq!(error.storage_kind(), Some(StorageErrorKind::CannotOpen));
    assert!(error.to_string().contains(".source("), "{error}");
}

#[tokio::test]
async fn a_program_sees_its_own_rows_unless_it_asks_for_others() {
    let Some(place) = scratch() else { return };
    let (east, west) = (
        open(&place, "gateway.east").await,
        open(&place, "gateway.west").await,
    );
    let lab = open(&place, "lab").await;
    for (backend, times) in [
        (&east, [1, 2, 3]),
        (&west, [11, 12, 13]),
        (&lab, [21, 22, 23]),
    ] {
        assert_eq!(backend.store_batch(rows("b", times)).await.settled, 3);
        assert_eq!(backend.store_batch(rows("a", [times[0]])).await.settled, 1);
    }
    assert_eq!(values(&east, "b").await.unwrap(), [1, 2, 3]);

    let pattern = Pattern::parse("gateway.*").unwrap();
    let gateways = builder(&place, "reader")
        .sources(pattern)
        .connect()
        .await
        .unwrap();
    let two = ReadRequest::new(Pattern::parse("#").unwrap()).with_limit(2);
    let page = gateways.read(two.clone()).await.unwrap();
    let of_gateways = [
        ("a", "gateway.east", 1),
        ("a", "gateway.west", 11),
        ("b", "gateway.east", 3),
        ("b", "gateway.east", 2),
        ("b", "gateway.west", 13),
        ("b", "gateway.west", 12),
    ];
    assert_eq!(
        seen(&page),
        expected(&of_gateways),
        "by record name, then by source; limits count for each"
    );

    let all = builder(&place, "reader2")
        .all_sources()
        .connect()
        .await
        .unwrap();
    for max_rows in 1..10 {
        let mut request = two.clone().with_page(max_rows, usize::MAX);
        let mut pages = Vec::new();
        loop {
            let page = all.read(request.clone()).await.unwrap();
            pages.extend(seen(&page));
            request.after = page.next;
            if request.after.is_none() {
                break;
            }
        }
        let mut all = of_gateways.to_vec();
        all.insert(2, ("a", "lab", 21));
        all.extend([("b", "lab", 23), ("b", "lab", 22)]);
        assert_eq!(pages, expected(&all), "pages of {max_rows} rows");
    }
    let exact = ReadRequest::new(Pattern::exact("a")).with_order(Order::OldestFirst);
    assert_eq!(all.read(exact).await.unwrap().rows.len(), 3);
    // What a program compares its next value with is its own.
    assert!(all.supports(Feature::LastStored));
    assert!(all.last_stored("a").await.unwrap().is_empty());
}

struct Begins(Vec<String>);

impl RowVisitor for Begins {
    fn begin_series(&mut self, record_name: &str) -> bool {
        self.0.push(record_name.to_owned());
        true
    }

    fn visit(&mut self, row: Row<'_>) -> Visit {
        self.0.push(row.stored_at.to_string());
        Visit::NextSeries
    }
}

#[tokio::test]
async fn a_scan_begins_a_series_for_each_source_that_has_the_record() {
    let Some(place) = scratch() else { return };
    for (source, at) in [("one", 1), ("two", 2), ("three", 3)] {
        let backend = open(&place, source).await;
        backend.store_batch(rows("a", [at, at + 10])).await;
    }
    let all = builder(&place, "reader")
        .all_sources()
        .connect()
        .await
        .unwrap();
    let request = ReadRequest::new(Pattern::exact("a"));
    let scanned = all.scan(request, None, Box::new(Begins(Vec::new()))).await;
    let Begins(seen) = scanned.unwrap().into_visitor();
    assert_eq!(seen, ["a", "11", "a", "13", "a", "12"]);
}

#[tokio::test]
async fn pages_of_many_sources_show_one_moment_of_each() {
    let Some(place) = scratch() else { return };
    let (one, two) = (open(&place, "one").await, open(&place, "two").await);
    for backend in [&one, &two] {
        backend.store_batch(rows("a", [1, 2, 3])).await;
    }
    let all = builder(&place, "reader")
        .all_sources()
        .connect()
        .await
        .unwrap();
    let mut request = ReadRequest::new(Pattern::exact("a")).with_page(2, usize::MAX);
    let first = all.read(request.clone()).await.unwrap();
    for backend in [&one, &two] {
        backend.store_batch(rows("a", [0, 4])).await;
    }
    let mut shown = seen(&first);
    request.after = first.next;
    while request.after.is_some() {
        let page = all.read(request.clone()).await.unwrap();
        shown.extend(seen(&page));
        request.after = page.next;
    }
    let rows = [
        ("a", "one", 3),
        ("a", "one", 2),
        ("a", "one", 1),
        ("a", "two", 3),
        ("a", "two", 2),
        ("a", "two", 1),
    ];
    assert_eq!(shown, expected(&rows));
}

#[tokio::test]
async fn a_live_holder_of_a_source_is_not_displaced_unless_that_is_said() {
    let Some(place) = scratch() else { return };
    let first = open(&place, "gateway").await;
    first.store_batch(rows("a", [1])).await;
    let refused = builder(&place, "gateway")
        .connect()
        .await
        .expect_err("it is held");
    assert_eq!(refused.storage_kind(), Some(StorageErrorKind::Busy));
    assert!(refused.to_string().contains(".take_over()"), "{refused}");
    first.store_batch(rows("a", [2])).await;

    let second = builder(&place, "gateway")
        .take_over()
        .connect()
        .await
        .unwrap();
    assert_eq!(second.store_batch(rows("a", [3])).await.settled, 1);
    let outcome = first.store_batch(rows("a", [4, 5])).await;
    let error = outcome.stopped_by.expect("it was displaced");
    assert_eq!(
        (outcome.settled, error.storage_kind()),
        (0, Some(StorageErrorKind::CannotOpen))
    );
    assert!(
        error
            .to_string()
            .contains("another program has taken over the source `gateway`"),
        "{error}"
    );
    for error in [
        first
            .declare(&[SeriesDeclaration::new("b")])
            .await
            .unwrap_err(),
        first.cleanup(u64::MAX).await.unwrap_err(),
        first.erase("a", 0, 9).await.unwrap_err(),
        first.rename("a", "c").await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("taken over"), "{error}");
    }
    second.store_batch(rows("a", [6])).await;
    assert_eq!(
        values(&second, "#").await.unwrap(),
        [1, 2, 3, 6],
        "nothing twice, and nothing in part"
    );
}

#[tokio::test]
async fn a_source_that_was_let_go_or_whose_session_has_ended_is_free() {
    let Some(place) = scratch() else { return };
    let first = open(&place, "gateway").await;
    first.close().await.unwrap();
    let second = open(&place, "gateway").await;
    second.store_batch(rows("a", [1])).await;
    // As when a program is killed: its session ends, and it says nothing.
    let session = session(&place).await;
    let ended = "SELECT pg_terminate_backend(holder_pid, 10000) FROM source";
    assert!(
        session
            .query_one(ended, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
    );
    let third = open(&place, "gateway").await;
    assert_eq!(values(&third, "a").await.unwrap(), [1]);
}

#[tokio::test]
async fn a_holder_that_has_been_silent_for_long_is_displaced() {
    let Some(place) = scratch() else { return };
    let silent = open(&place, "gateway").await;
    silent.store_batch(rows("a", [1])).await;
    let session = session(&place).await;
    for (seconds, is_displaced) in [(20, false), (31, true)] {
        let ago = format!("UPDATE source SET seen_at = now() - interval '{seconds} seconds'");
        session.batch_execute(&ago).await.unwrap();
        let opened = builder(&place, "gateway").connect().await;
        assert_eq!(opened.is_ok(), is_displaced, "{seconds} s");
    }
    let outcome = silent.store_batch(rows("a", [2])).await;
    assert!(
        outcome
            .stopped_by
            .unwrap()
            .to_string()
            .contains("taken over")
    );
}

#[tokio::test]
async fn programs_that_start_together_make_the_tables_once() {
    let Some(place) = scratch() else { return };
    let starts = (0..12).map(|n| {
        let builder = builder(&place, &format!("gateway.{n}"));
        tokio::spawn(builder.connect())
    });
    let starts: Vec<_> = starts.collect();
    let mut backends = Vec::new();
    for start in starts {
        let backend = start.await.unwrap();
        backends.push(Arc::new(backend.expect("each of them opens")));
    }
    let made = backends
        .iter()
        .filter(|backend| backend.health().new_history.is_some());
    assert_eq!(made.count(), 1);
    for backend in &backends {
        assert_eq!(backend.store_batch(rows("a", [1])).await.settled, 1);
    }
}
