//! A file that is kept within a size.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use aimdb_persistence::backend::{Rows, SeriesDeclaration};
use aimdb_persistence::{PersistenceBackend, StorageErrorKind};
use aimdb_persistence_sqlite::SqliteBackend;

use crate::support::{kind, query, scratch, store};

const MEBIBYTE: u64 = 1 << 20;

fn open(path: &Path, max_bytes: u64) -> SqliteBackend {
    SqliteBackend::builder(path)
        .max_bytes(max_bytes)
        .open()
        .unwrap()
}

fn file_bytes(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

/// Stores one commit of these rows: series, time and JSON.
async fn commit(backend: &SqliteBackend, rows: impl IntoIterator<Item = (String, u64, String)>) {
    let mut batch = Rows::new();
    for (key, stored_at, json) in rows {
        batch.push(&key, stored_at, &json);
    }
    let rows = batch.len();
    let outcome = backend.store_batch(Arc::new(batch)).await;
    assert!(outcome.stopped_by.is_none() && outcome.refused.is_empty());
    assert_eq!(outcome.settled, rows);
}

/// The times of each series' rows, oldest first.
async fn times(backend: &SqliteBackend) -> BTreeMap<String, Vec<u64>> {
    let mut times = BTreeMap::<_, Vec<_>>::new();
    for row in query(backend, "#").await.into_iter().rev() {
        times
            .entry(row.record_name)
            .or_default()
            .push(row.stored_at);
    }
    times
}

/// What is left once the backend is closed, and how many rows have gone: while it is open, some may go at any time.
async fn left_of(backend: SqliteBackend) -> (BTreeMap<String, Vec<u64>>, u64) {
    backend.close().await.unwrap();
    let left = SqliteBackend::builder(backend.path()).read_only().open();
    (times(&left.unwrap()).await, backend.health().evicted)
}

fn count(times: &BTreeMap<String, Vec<u64>>) -> u64 {
    times.values().map(|times| times.len() as u64).sum()
}

#[tokio::test]
async fn the_oldest_rows_of_all_series_go_first_and_every_one_is_counted() {
    const MAX: u64 = 2 * MEBIBYTE;
    let scratch = scratch();
    let backend = open(&scratch.path, MAX);
    let (commits, rows) = (100, 1_000);
    let mut largest = 0;
    for n in 0..commits {
        let row = |at| {
            (
                format!("t.{}", at % 7),
                at,
                format!("{{\"celsius\":{at}.5}}"),
            )
        };
        commit(&backend, (n * rows..(n + 1) * rows).map(row)).await;
        largest = largest.max(file_bytes(&scratch.path));
    }
    let (times, evicted) = left_of(backend).await;
    assert!(largest <= MAX + MAX / 16, "{largest}");
    assert!(file_bytes(&scratch.path) <= MAX);
    assert!(file_bytes(&scratch.path) > MAX / 2, "no more than needed");
    assert_eq!(count(&times) + evicted, commits * rows);
    let oldest: Vec<u64> = times.values().map(|times| times[0]).collect();
    let (first, last) = (oldest.iter().min().unwrap(), oldest.iter().max().unwrap());
    assert!(
        *first > commits * rows / 4 && last - first < 1_000,
        "{oldest:?}"
    );
    for (key, times) in times {
        assert!(times.windows(2).all(|w| w[1] - w[0] == 7), "{key}: no gap");
        assert!(
            times.last().unwrap() + 7 >= commits * rows,
            "{key}: the newest"
        );
    }
}

#[tokio::test]
async fn rows_that_a_series_keeps_stay_however_old_they_are() {
    let scratch = scratch();
    let backend = open(&scratch.path, MEBIBYTE);
    let keeps = SeriesDeclaration::new("state").with_keep_last(3);
    backend.declare(&[keeps]).await.unwrap();
    commit(
        &backend,
        (1..=10).map(|at| ("state".into(), at, "1".into())),
    )
    .await;
    // A series that is older than all, of few rows: they are the first to go.
    store(&backend, "old", 0, 0).await;
    for n in 0..40 {
        let row = |at: u64| ("flood".into(), 100 + at, format!("\"{at:>50}\""));
        commit(&backend, (n * 1_000..(n + 1) * 1_000).map(row)).await;
    }
    let (times, evicted) = left_of(backend).await;
    assert_eq!(times["state"], [8, 9, 10]);
    assert!(!times.contains_key("old"));
    assert_eq!(count(&times) + evicted, 40_011);
}

#[tokio::test]
async fn long_values_go_few_at_a_time() {
    const MAX: u64 = 4 * MEBIBYTE;
    let scratch = scratch();
    let backend = open(&scratch.path, MAX);
    for at in 0..1_000 {
        let value = format!("\"{}\"", "x".repeat(16_384));
        commit(&backend, [(format!("t.{}", at % 3), at, value)]).await;
    }
    let (times, evicted) = left_of(backend).await;
    assert_eq!(count(&times) + evicted, 1_000);
    assert!(count(&times) * 16_384 > MAX / 2, "{}", count(&times));
    assert!(file_bytes(&scratch.path) <= MAX + MAX / 16);
    for times in times.values() {
        assert!(times.windows(2).all(|w| w[1] - w[0] == 3));
    }
}

#[tokio::test]
async fn small_commits_over_many_series_stay_within_the_size_too() {
    let scratch = scratch();
    let backend = open(&scratch.path, MEBIBYTE);
    let mut largest = 0;
    for n in 0..4_000 {
        let row = |at| {
            (
                format!("t.{}", at % 100),
                at,
                format!("{{\"celsius\":{at}.5}}"),
            )
        };
        commit(&backend, (n * 10..(n + 1) * 10).map(row)).await;
        largest = largest.max(file_bytes(&scratch.path));
    }
    assert!(largest <= MEBIBYTE + MEBIBYTE / 8, "{largest}");
    let (times, evicted) = left_of(backend).await;
    assert_eq!(count(&times) + evicted, 40_000);
    for (key, times) in times {
        assert!(times.last().unwrap() + 100 >= 40_000, "{key}: the newest");
    }
}

#[tokio::test]
async fn a_file_that_is_larger_than_a_new_limit_is_cut_down_to_it() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let row = |at| {
        (
            format!("t.{}", at % 10),
            at,
            format!("{{\"celsius\":{at}.5}}"),
        )
    };
    commit(&backend, (0..100_000).map(row)).await;
    backend.close().await.unwrap();
    assert!(file_bytes(&scratch.path) > 3 * MEBIBYTE);

    let backend = open(&scratch.path, 2 * MEBIBYTE);
    store(&backend, "t.0", 1, 100_000).await;
    backend.flush().await.unwrap();
    backend.close().await.unwrap();
    // Closing does not wait for it to be done; what is left to do goes on at the next start.
    let backend = open(&scratch.path, 2 * MEBIBYTE);
    for at in 100_001.. {
        store(&backend, "t.0", 1, at).await;
        backend.flush().await.unwrap();
        if file_bytes(&scratch.path) <= 2 * MEBIBYTE {
            break;
        }
    }
    let times = times(&backend).await;
    assert!(times.values().all(|times| *times.last().unwrap() >= 99_990));
}

#[tokio::test]
async fn where_nothing_may_be_removed_the_file_grows_on() {
    let scratch = scratch();
    let backend = open(&scratch.path, MEBIBYTE);
    let keeps = SeriesDeclaration::new("t").with_keep_last(u64::MAX);
    backend.declare(&[keeps]).await.unwrap();
    for n in 0..40 {
        let row = |at| ("t".into(), at, format!("\"{at:>50}\""));
        commit(&backend, (n * 1_000..(n + 1) * 1_000).map(row)).await;
    }
    assert_eq!(count(&times(&backend).await), 40_000);
    assert_eq!(backend.health().evicted, 0);
    assert!(file_bytes(&scratch.path) > MEBIBYTE);
}

#[tokio::test]
async fn a_size_that_no_history_fits_into_is_refused() {
    let scratch = scratch();
    let builder = SqliteBackend::builder(&scratch.path).max_bytes(1_000);
    let error = builder.open().unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::CannotOpen);
    assert!(error.to_string().contains("1_048_576"), "{error}");
    assert!(!scratch.path.exists());
}
