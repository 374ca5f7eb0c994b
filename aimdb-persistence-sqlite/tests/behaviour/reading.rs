//! Queries return what a simple model returns, page by page or at once, and never wait for each
//! other's sake.

use std::cmp::Reverse;

use crate::support::{OwnedRow, everything, plain, query, read_all, rows, scratch, store, values};
use aimdb_persistence::backend::SeriesDeclaration;
use aimdb_persistence::{
    Pattern, PersistenceBackend, PersistenceError, QueryParams, question::Order,
};
use aimdb_persistence_sqlite::SqliteBackend;
use proptest::prelude::*;

#[tokio::test]
async fn latest_n_is_per_record_and_bounds_are_inclusive() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for at in 0..10 {
        store(&backend, "a", at, at).await;
        store(&backend, "b", 100 + at, at).await;
    }
    let ask = async |limit_per_record, start_time, end_time| {
        let params = QueryParams {
            limit_per_record,
            start_time,
            end_time,
        };
        let rows = backend.query("#", params).await.unwrap();
        rows.iter()
            .map(|row| row.value.as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(Some(1), None, None).await, [9, 109]);
    assert_eq!(ask(Some(2), None, Some(4)).await, [4, 3, 104, 103]);
    assert_eq!(ask(None, Some(3), Some(4)).await, [4, 3, 104, 103]);
    assert_eq!(
        ask(Some(usize::MAX), Some(9), Some(u64::MAX)).await,
        [9, 109]
    );
    assert!(ask(Some(0), None, None).await.is_empty());
    assert!(ask(None, Some(5), Some(4)).await.is_empty());
}

#[tokio::test]
async fn a_page_ends_after_its_rows_or_its_bytes_and_always_advances() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    backend
        .store_batch(rows((0..10).map(|at| ("t", at, "12345"))))
        .await;
    let (_, lengths) = read_all(&backend, everything("t").with_page(4, usize::MAX)).await;
    assert_eq!(lengths, [4, 4, 2]);
    let (_, lengths) = read_all(&backend, everything("t").with_page(usize::MAX, 11)).await;
    assert_eq!(
        lengths,
        [3, 3, 3, 1],
        "the row that reaches the bound is the page's last"
    );
    let nothing_allowed = everything("t").with_page(0, 0);
    assert_eq!(read_all(&backend, nothing_allowed).await.0.len(), 10);
}

#[tokio::test]
async fn a_template_confines_a_query_to_its_own_series() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let declare =
        |record_name, template| SeriesDeclaration::new(record_name).with_template(template);
    let declarations = [declare("t.a", "t.{station}"), declare("t.b", "{kind}.b")];
    backend.declare(&declarations).await.unwrap();
    for key in ["t.a", "t.b", "t.undeclared"] {
        store(&backend, key, 1, 1).await;
    }
    let names = async |pattern: &str, template: Option<&str>| {
        let (rows, _) = read_all(&backend, everything(pattern).with_template(template)).await;
        rows.into_iter().map(|row| row.0).collect::<Vec<_>>()
    };
    assert_eq!(names("t.*", None).await, ["t.a", "t.b", "t.undeclared"]);
    assert_eq!(names("t.*", Some("t.{station}")).await, ["t.a"]);
    assert_eq!(
        names("t.undeclared", Some("t.{station}")).await,
        ["t.undeclared"]
    );
    assert!(names("t.b", Some("t.{station}")).await.is_empty());
}

#[tokio::test]
async fn a_series_that_appears_or_is_declared_later_is_noticed_by_every_reader() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let other = SqliteBackend::new(&scratch.path).unwrap();
    for round in 0..10 {
        store(&other, &format!("t.{round}"), round, 1).await;
        assert_eq!(values(&backend, "t.*").await.len() as u64, round + 1);
    }
    let asks = everything("t.*").with_template(Some("t.{n}"));
    assert!(read_all(&backend, asks.clone()).await.0.is_empty());
    let declaration = SeriesDeclaration::new("t.3").with_template("t.{n}");
    other.declare(&[declaration]).await.unwrap();
    for _ in 0..4 {
        assert_eq!(read_all(&backend, asks.clone()).await.0.len(), 1);
    }
}

#[tokio::test]
async fn a_malformed_pattern_is_an_error_unless_a_series_has_that_very_name() {
    let scratch = scratch();
    // The published crate stores under any key.
    plain(&scratch.path)
        .execute_batch(
            "CREATE TABLE record_history (id INTEGER PRIMARY KEY, record_name TEXT NOT NULL, \
             value_json TEXT NOT NULL, stored_at INTEGER NOT NULL); \
             INSERT INTO record_history VALUES (1, 'a..*', '7', 5);",
        )
        .unwrap();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let malformed = backend
        .query("b..*", QueryParams::default())
        .await
        .unwrap_err();
    assert!(matches!(malformed, PersistenceError::InvalidPattern(_)));
    assert_eq!(values(&backend, "a..*").await, [7]);
    let beyond = QueryParams {
        start_time: Some(6),
        ..QueryParams::default()
    };
    assert!(backend.query("a..*", beyond).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_row_is_left_out_and_never_becomes_null() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    store(&backend, "t", 2, 2).await;
    plain(&scratch.path)
        .execute("UPDATE tail SET value = '{' WHERE stored_at = 2", [])
        .unwrap();
    assert_eq!(values(&backend, "t").await, [1]);
    let (raw, _) = read_all(&backend, everything("t")).await;
    assert_eq!(raw.len(), 1, "its text is left out too");
    let health = backend.health();
    assert!(health.damaged_rows >= 2, "each answer counts it");
    let what = health.damage.unwrap();
    assert!(what.contains("record `t` at 2 ms"), "{what}");
}

#[tokio::test]
async fn rows_stored_while_a_paged_read_is_under_way_neither_wait_nor_disturb_it() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    backend
        .store_batch(rows((0..100).map(|at| ("t", at, "1"))))
        .await;
    let mut request = everything("t").with_page(10, usize::MAX);
    let mut times = Vec::new();
    loop {
        let page = backend.read(request.clone()).await.unwrap();
        times.extend(page.rows.iter().map(|row| row.stored_at));
        // Newer than everything, and older than what has been read: neither shifts the pages.
        store(&backend, "t", 2, 1_000 + times.len() as u64).await;
        store(&backend, "u", 2, 1).await;
        match page.next {
            Some(cursor) => request.after = Some(cursor),
            None => break,
        }
    }
    assert_eq!(times, (0..100).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_between_two_pages_does_not_keep_the_log_from_starting_over() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    backend
        .store_batch(rows((0..100).map(|at| ("t", at, "1"))))
        .await;
    let first = backend
        .read(everything("t").with_page(10, usize::MAX))
        .await
        .unwrap();
    assert!(first.next.is_some());
    let busy: i64 = plain(&scratch.path)
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))
        .unwrap();
    assert_eq!(busy, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_in_memory_database_serves_concurrent_reads_and_writes() {
    let backend = SqliteBackend::new(":memory:").unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let backend = backend.clone();
            tokio::spawn(async move {
                for value in 0..20 {
                    store(&backend, &format!("t.{task}"), value, value).await;
                    let newest = values(&backend, &format!("t.{task}")).await[0];
                    assert_eq!(newest, value);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(query(&backend, "t.*").await.len(), 320);
    let private = SqliteBackend::new(":memory:").unwrap();
    assert!(query(&private, "*").await.is_empty());
    assert_eq!(backend.cleanup(10).await.unwrap(), 160);
    backend.close().await.unwrap();
}

#[tokio::test]
async fn rows_in_the_tail_and_in_the_table_come_in_one_order() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    // Many of one series fill the pages they touch; few, or few of each series, do not.
    let even: Vec<_> = (0..64).map(|n| ("t", 2 * n, "1")).collect();
    backend.store_batch(rows(even)).await;
    for at in [39, 1, 3, 37, 20] {
        store(&backend, "t", 2, at).await;
    }
    backend
        .store_batch(rows([("t", 21, "3"), ("u", 21, "3")]))
        .await;
    let file = plain(&scratch.path);
    let count = |table| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        file.query_row(&sql, [], |r| r.get(0)).unwrap()
    };
    assert_eq!((count("row"), count("tail")), (64, 7));

    let request = everything("t").with_times(2, 38);
    let mut expected: Vec<u64> = (1..20).map(|n| 2 * n).collect();
    expected.extend([3, 37, 20, 21]);
    expected.sort_unstable_by_key(|at| Reverse(*at));
    for max_rows in [1, 2, 5, usize::MAX] {
        let request = request.clone().with_page(max_rows, usize::MAX);
        let (read, _) = read_all(&backend, request).await;
        assert_eq!(read.iter().map(|row| row.1).collect::<Vec<_>>(), expected);
        let at_20: Vec<_> = read.iter().filter(|row| row.1 == 20).collect();
        assert_eq!(at_20[0].2, "2", "the one stored last comes first");
    }
}

const KEYS: [&str; 5] = ["a.x", "a.y", "b::x", "a", "a.x.z"];
const PATTERNS: [&str; 7] = ["*", "a.*", "a.#", "#.x", "a.x", "none", "b::*"];

#[derive(Debug, Clone)]
struct Ask {
    pattern: &'static str,
    limit_per_record: Option<usize>,
    start_time: Option<u64>,
    end_time: Option<u64>,
    max_rows: usize,
    max_bytes: usize,
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..12_u64, 1 => Just(i64::MAX as u64), 1 => Just(i64::MAX as u64 - 1)]
}

fn bound() -> impl Strategy<Value = Option<u64>> {
    proptest::option::of(
        prop_oneof![4 => time(), 1 => Just(i64::MAX as u64 + 1), 1 => Just(u64::MAX)],
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    let limit = proptest::option::of(prop_oneof![4 => 0..6_usize, 1 => Just(usize::MAX)]);
    let pages = (
        prop_oneof![1..7_usize, Just(usize::MAX)],
        prop_oneof![1..40_usize, Just(usize::MAX)],
    );
    (
        proptest::sample::select(&PATTERNS[..]),
        limit,
        bound(),
        bound(),
        pages,
    )
        .prop_map(
            |(pattern, limit_per_record, start_time, end_time, (max_rows, max_bytes))| Ask {
                pattern,
                limit_per_record,
                start_time,
                end_time,
                max_rows,
                max_bytes,
            },
        )
}

/// The trait's words, spelt out over a plain list.
fn expected(stored: &[(usize, u64)], ask: &Ask) -> Vec<OwnedRow> {
    let pattern = Pattern::parse(ask.pattern).unwrap();
    let mut all: Vec<_> = stored.iter().enumerate().collect();
    all.sort_by_key(|(order, (key, at))| (KEYS[*key], Reverse((*at, *order))));
    let mut taken = std::collections::HashMap::new();
    all.into_iter()
        .filter(|(_, (key, at))| {
            pattern.matches(KEYS[*key])
                && ask.start_time.is_none_or(|start| *at >= start)
                && ask.end_time.is_none_or(|end| *at <= end)
        })
        .filter(|(_, (key, _))| {
            let taken = taken.entry(*key).or_insert(0);
            *taken += 1;
            ask.limit_per_record.is_none_or(|limit| *taken <= limit)
        })
        .map(|(order, (key, at))| (KEYS[*key].to_owned(), *at, order.to_string()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn pages_of_any_size_and_one_big_query_agree_with_the_model(
        stored in proptest::collection::vec((0..KEYS.len(), time()), 0..200),
        cuts in proptest::collection::vec(prop_oneof![1..20_usize, 64..100_usize], 1..8),
        asks in proptest::collection::vec(ask(), 1..12),
        in_memory in any::<bool>(),
        tail_rows in 0..40_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let scratch = scratch();
            let memory = std::path::Path::new(":memory:");
            let path = if in_memory { memory } else { &scratch.path };
            // So small a tail is merged again and again, between commits and between pages.
            let backend = SqliteBackend::builder(path).tail_rows(tail_rows).open().unwrap();
            let texts: Vec<String> = (0..stored.len()).map(|order| order.to_string()).collect();
            let mut left: Vec<_> = stored.iter().zip(&texts).map(|((key, at), text)| (KEYS[*key], *at, text.as_str())).collect();
            for cut in cuts.iter().cycle() {
                if left.is_empty() {
                    break;
                }
                let batch: Vec<_> = left.drain(..(*cut).min(left.len())).collect();
                assert!(backend.store_batch(rows(batch)).await.refused.is_empty());
            }
            for ask in &asks {
                let request = everything(ask.pattern)
                    .with_limit(ask.limit_per_record)
                    .with_times(ask.start_time, ask.end_time)
                    .with_page(ask.max_rows, ask.max_bytes);
                let (paged, lengths) = read_all(&backend, request).await;
                assert_eq!(paged, expected(&stored, ask), "{ask:?}");
                assert!(lengths.iter().all(|length| *length <= ask.max_rows));
                let oldest_first = everything(ask.pattern)
                    .with_order(Order::OldestFirst)
                    .with_times(ask.start_time, ask.end_time)
                    .with_page(ask.max_rows, ask.max_bytes);
                let (mut reversed, _) = read_all(&backend, oldest_first).await;
                reversed.chunk_by_mut(|one, next| one.0 == next.0).for_each(<[_]>::reverse);
                let unlimited = Ask { limit_per_record: None, ..ask.clone() };
                assert_eq!(reversed, expected(&stored, &unlimited), "{ask:?}");
                let params = QueryParams {
                    limit_per_record: ask.limit_per_record,
                    start_time: ask.start_time,
                    end_time: ask.end_time,
                };
                let at_once = backend.query(ask.pattern, params).await.unwrap();
                let at_once: Vec<OwnedRow> = at_once.into_iter().map(|r| (r.record_name, r.stored_at, r.value.to_string())).collect();
                assert_eq!(at_once, paged);
            }
        });
    }
}
