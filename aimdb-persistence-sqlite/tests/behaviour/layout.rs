//! Where rows lie in the file: few pages are touched, and what leaves leaves nothing behind.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence_sqlite::SqliteBackend;

use crate::support::{
    everything, plain, plain_with_checksum, query, read_all, rows, scratch, store, values,
};

fn count(path: &Path, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    plain(path).query_row(&sql, [], |r| r.get(0)).unwrap()
}

/// Merging goes on behind the scenes, so the test has to wait for it.
async fn until_the_tail_is_empty(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while count(path, "tail") > 0 {
        assert!(Instant::now() < deadline, "{} rows", count(path, "tail"));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_trickle_over_many_series_touches_few_pages() {
    const COMMITS: u64 = 100;
    const PAGE_IN_LOG_BYTES: u64 = 4_096 + 24;
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let keys: Vec<String> = (0..100).map(|n| format!("t.{n}")).collect();
    let history = (0..10_000).map(|n| (&*keys[n % 100], n as u64, "\"some history\""));
    backend.store_batch(rows(history)).await;
    plain(&scratch.path)
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    for commit in 0..COMMITS {
        let some = (commit * 10..).take(10);
        let batch = some.map(|n| (&*keys[n as usize % 100], 10_000 + n, "{\"celsius\":13.25}"));
        backend.store_batch(rows(batch)).await;
    }
    let log_bytes = fs::metadata(format!("{}-wal", scratch.path.display()))
        .unwrap()
        .len();
    let pages = log_bytes / PAGE_IN_LOG_BYTES;
    assert!(
        (COMMITS..COMMITS * 3 / 2).contains(&pages),
        "{pages} pages for {COMMITS} commits"
    );
}

#[tokio::test]
async fn a_merge_keeps_up_with_stores_that_never_pause() {
    const TAIL_ROWS: usize = 64;
    let scratch = scratch();
    let backend = SqliteBackend::builder(&scratch.path)
        .tail_rows(TAIL_ROWS)
        .open()
        .unwrap();
    let mut longest = 0;
    for n in 0..600 {
        store(&backend, &format!("t.{}", n % 7), n, n).await;
        longest = longest.max(count(&scratch.path, "tail"));
    }
    assert!(longest > TAIL_ROWS as i64, "it is merged in bulk");
    assert!(
        longest < 3 * TAIL_ROWS as i64,
        "the tail grew to {longest} rows"
    );
    assert_eq!(query(&backend, "*").await.len(), 600);
}

#[tokio::test]
async fn a_tail_within_its_bound_is_left_alone_and_is_still_there_after_a_restart() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for n in 0..100 {
        store(&backend, &format!("t.{}", n % 7), n, n).await;
    }
    for _ in 0..2 {
        backend.flush().await.unwrap();
        assert_eq!(count(&scratch.path, "tail"), 100);
    }
    drop(backend);
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(query(&backend, "*").await.len(), 100);
    backend.close().await.unwrap();
    assert_eq!(count(&scratch.path, "tail"), 100);
}

#[tokio::test]
async fn two_backends_on_one_file_see_each_others_tail_before_and_after_merges() {
    let scratch = scratch();
    let open = || {
        let options = SqliteBackend::builder(&scratch.path).tail_rows(40);
        options.open().unwrap()
    };
    let (one, other) = (open(), open());
    for n in 0..150 {
        let (writes, reads) = if n % 3 == 0 {
            (&one, &other)
        } else {
            (&other, &one)
        };
        store(writes, "t", n, n / 2).await;
        let expected: Vec<u64> = (0..=n).rev().collect();
        assert_eq!(values(reads, "t").await, expected);
    }
    assert!(count(&scratch.path, "row") > 0, "something was merged");
    let expected: Vec<u64> = (0..150).rev().collect();
    assert_eq!(values(&one, "t").await, expected);
    assert_eq!(values(&other, "t").await, expected);
}

#[tokio::test]
async fn long_values_come_back_and_leave_together_with_their_rows() {
    let scratch = scratch();
    let backend = SqliteBackend::builder(&scratch.path)
        .tail_rows(0)
        .open()
        .unwrap();
    let lengths = [
        1, 399, 400, 401, 402, 1_000, 4_096, 5_000, 100_000, 1_000_000,
    ];
    let texts = lengths.map(|length| format!("{}1", " ".repeat(length - 1)));
    // Each alone, through the tail; then together, at once into the table.
    for (at, text) in (0..).zip(&texts) {
        backend.store_batch(rows([("t", at, text.as_str())])).await;
    }
    let together = (10..)
        .zip(&texts)
        .map(|(at, text)| ("t", at, text.as_str()));
    backend.store_batch(rows(together)).await;
    for _ in 0..2 {
        let (read, _) = read_all(&backend, everything("t")).await;
        let read: Vec<_> = read.iter().rev().map(|row| row.2.as_str()).collect();
        let expected: Vec<_> = texts.iter().chain(&texts).map(String::as_str).collect();
        assert!(read == expected);
        until_the_tail_is_empty(&scratch.path).await;
    }
    assert_eq!(count(&scratch.path, "row"), 20);
    assert_eq!(count(&scratch.path, "large"), 14);

    assert_eq!(backend.cleanup(7).await.unwrap(), 7);
    assert_eq!(count(&scratch.path, "large"), 10);
    assert_eq!(backend.cleanup(u64::MAX).await.unwrap(), 13);
    assert_eq!(count(&scratch.path, "large"), 0);
    let check: String = plain(&scratch.path)
        .query_row("PRAGMA integrity_check", [], |r| r.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn a_sweep_removes_expired_rows_from_the_tail_and_leaves_the_others() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for n in 0..50 {
        store(&backend, &format!("t.{}", n % 7), n, n).await;
    }
    assert_eq!(backend.cleanup(0).await.unwrap(), 0);
    assert_eq!(count(&scratch.path, "tail"), 50, "nothing has expired");
    assert_eq!(backend.cleanup(20).await.unwrap(), 20);
    let mut left = values(&backend, "*").await;
    left.sort_unstable();
    assert_eq!(left, (20..50).collect::<Vec<_>>());
    assert_eq!(backend.cleanup(20).await.unwrap(), 0);
}

#[tokio::test]
async fn settled_rows_that_a_kill_left_in_the_tail_are_removed_by_the_next_start() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for n in 0..20 {
        store(&backend, "t", n, n).await;
    }
    backend.close().await.unwrap();
    // The state between the step that settles and the first that removes.
    plain_with_checksum(&scratch.path)
        .execute_batch(
            "INSERT INTO row SELECT series, stored_at, sequence, seal, value FROM tail;
             INSERT INTO last_stored SELECT series, max(stored_at), max(sequence), count(*) FROM tail GROUP BY series;
             UPDATE state SET settled = (SELECT max(sequence) FROM tail),
                 through = (SELECT max(sequence) FROM tail);
             UPDATE state SET checksum = checksum(settled, through, series, stored_at, sequence,
                 last_direct_sequence, series_generation)",
        )
        .unwrap();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(values(&backend, "t").await, Vec::from_iter((0..20).rev()));
    until_the_tail_is_empty(&scratch.path).await;
    assert_eq!(values(&backend, "t").await, Vec::from_iter((0..20).rev()));
    assert_eq!(backend.cleanup(u64::MAX).await.unwrap(), 20);
}
