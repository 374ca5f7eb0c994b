//! Scans let others in between, end with their caller, and show one moment while others write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use aimdb_persistence::backend::{Row, RowVisitor, Scanned, Visit};
use aimdb_persistence::{PersistenceBackend, StorageErrorKind, question::Order};
use aimdb_persistence_sqlite::SqliteBackend;

use crate::support::{everything, plain, rows, scratch, store, values};

/// Counts rows, slowly if it is told to.
struct Counter {
    rows: Arc<AtomicU64>,
    pause: Duration,
}

impl RowVisitor for Counter {
    fn visit(&mut self, _: Row<'_>) -> Visit {
        self.rows.fetch_add(1, SeqCst);
        std::thread::sleep(self.pause);
        Visit::Continue
    }
}

async fn store_many(backend: &SqliteBackend, key: &str, count: u64) {
    let batch = rows((0..count).map(|at| (key, at, "1")));
    assert_eq!(backend.store_batch(batch).await.settled as u64, count);
}

/// A scan that takes far longer than any test, and what it has seen so far.
async fn endless_scan(backend: &SqliteBackend) -> (tokio::task::JoinHandle<()>, Arc<AtomicU64>) {
    store_many(backend, "long", 20_000).await;
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Counter {
        rows: Arc::clone(&seen),
        pause: Duration::from_millis(1),
    };
    let scanning = backend.clone();
    let task = tokio::spawn(async move {
        let scan = scanning.scan(everything("long"), None, Box::new(counter));
        scan.await.map(drop).unwrap();
    });
    while seen.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    (task, seen)
}

#[tokio::test]
async fn a_long_scan_lets_other_queries_in_between() {
    for path in [None, Some(":memory:")] {
        let scratch = scratch();
        let path = path.map_or(scratch.path.clone(), Into::into);
        let backend = SqliteBackend::builder(path).readers(1).open().unwrap();
        store(&backend, "short", 7, 1).await;
        let (scan, _) = endless_scan(&backend).await;
        for _ in 0..3 {
            assert_eq!(values(&backend, "short").await, [7]);
        }
        assert!(!scan.is_finished());
        scan.abort();
    }
}

#[tokio::test]
async fn a_scan_whose_caller_has_gone_ends_and_holds_nothing() {
    let scratch = scratch();
    let backend = SqliteBackend::builder(&scratch.path)
        .readers(1)
        .open()
        .unwrap();
    let (scan, seen) = endless_scan(&backend).await;
    scan.abort();
    assert!(scan.await.unwrap_err().is_cancelled());
    // Whatever the one reader answers next, it has left the scan for good.
    assert!(values(&backend, "none").await.is_empty());
    let seen_by_then = seen.load(SeqCst);
    assert!(values(&backend, "none").await.is_empty());
    assert_eq!(seen.load(SeqCst), seen_by_then);
    let busy: i64 = plain(&scratch.path)
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))
        .unwrap();
    assert_eq!(busy, 0, "no transaction is left open");
}

#[tokio::test]
async fn a_scan_holds_no_transaction_between_its_chunks() {
    let scratch = scratch();
    let backend = SqliteBackend::builder(&scratch.path)
        .readers(1)
        .open()
        .unwrap();
    let (scan, _) = endless_scan(&backend).await;
    let other = plain(&scratch.path);
    other.busy_timeout(Duration::from_secs(60)).unwrap();
    let store_and_truncate = || {
        store_one(&other);
        other
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| {
                r.get::<_, i64>(0)
            })
            .unwrap()
    };
    assert_eq!(
        store_and_truncate(),
        0,
        "the log starts over during the scan"
    );
    assert!(!scan.is_finished());
    scan.abort();
}

/// By another program's hand.
fn store_one(connection: &rusqlite::Connection) {
    connection
        .execute("UPDATE meta SET value = value WHERE name = 'format'", [])
        .unwrap();
}

#[tokio::test]
async fn closing_the_backend_ends_a_scan() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store_many(&backend, "long", 20_000).await;
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Counter {
        rows: Arc::clone(&seen),
        pause: Duration::from_millis(1),
    };
    let scan = backend.scan(everything("long"), None, Box::new(counter));
    let close = async {
        while seen.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        backend.close().await
    };
    let (scanned, closed) = tokio::join!(scan, close);
    closed.unwrap();
    let error = scanned.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("shut down"), "{error}");
}

#[tokio::test]
async fn a_visitor_that_panics_takes_nobody_else_with_it() {
    struct Panics;

    impl RowVisitor for Panics {
        fn visit(&mut self, _: Row<'_>) -> Visit {
            panic!("of the visitor's own making")
        }
    }

    let scratch = scratch();
    let backend = SqliteBackend::builder(&scratch.path)
        .readers(1)
        .open()
        .unwrap();
    store(&backend, "a", 1, 1).await;
    for _ in 0..2 {
        let panicking = backend.clone();
        let scan = tokio::spawn(async move {
            let scan = panicking.scan(everything("a"), None, Box::new(Panics));
            scan.await.map(drop)
        });
        let panic = scan.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"of the visitor's own making"));
        assert_eq!(values(&backend, "a").await, [1]);
    }
    let busy: i64 = plain(&scratch.path)
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))
        .unwrap();
    assert_eq!(busy, 0, "no transaction is left open");
}

#[tokio::test]
async fn a_damaged_file_fails_a_scan_with_a_storage_error() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "a", 1, 1).await;
    plain(&scratch.path)
        .execute_batch("DROP TABLE large")
        .unwrap();
    let counter = Counter {
        rows: Arc::default(),
        pause: Duration::ZERO,
    };
    let scanned = backend.scan(everything("a"), None, Box::new(counter)).await;
    let error = scanned.map(|_: Scanned| ()).unwrap_err();
    assert_eq!(error.storage_kind(), Some(StorageErrorKind::Other));
}

/// Two programs' worth of backends store rows of consecutive numbers, in commits that go to the tail, to the
/// clustered table and through merges, while pages are read. A page that follows the first shows no
/// number that was given out after the first was there; and all that was answered before shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_show_one_moment_while_two_backends_store() {
    let scratch = scratch();
    let open = || {
        SqliteBackend::builder(&scratch.path)
            .tail_rows(64)
            .open()
            .unwrap()
    };
    let next = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let answered: [Arc<std::sync::Mutex<BTreeSet<u64>>>; 2] = Default::default();
    let reader = open();
    let writers: Vec<_> = answered
        .iter()
        .enumerate()
        .map(|(writer, answered)| {
            let (backend, answered) = (open(), Arc::clone(answered));
            let (next, stop) = (Arc::clone(&next), Arc::clone(&stop));
            tokio::spawn(async move {
                let sizes = [1, 3, 70, 2, 600, 1];
                for round in (0..).take_while(|_| !stop.load(SeqCst)) {
                    let size = sizes[(round + writer) % sizes.len()];
                    let numbers: Vec<u64> = (0..size).map(|_| next.fetch_add(1, SeqCst)).collect();
                    let texts: Vec<_> = numbers.iter().map(u64::to_string).collect();
                    let key = |n: &u64| ["t.a", "t.b", "t.c"][(*n % 3) as usize];
                    let batch = rows(
                        numbers
                            .iter()
                            .zip(&texts)
                            .map(|(n, text)| (key(n), n % 50, text.as_str())),
                    );
                    assert_eq!(backend.store_batch(batch).await.settled, numbers.len());
                    answered.lock().unwrap().extend(numbers);
                }
            })
        })
        .collect();
    for round in 0..30 {
        let before: BTreeSet<u64> = answered
            .iter()
            .flat_map(|answered| answered.lock().unwrap().clone())
            .collect();
        let order = [Order::NewestFirst, Order::OldestFirst][round % 2];
        let page_rows = (before.len() / 5).max(1);
        let mut request = everything("t.*")
            .with_order(order)
            .with_page(page_rows, usize::MAX);
        let mut shown = Vec::new();
        let mut later = None;
        loop {
            let page = reader.read(request.clone()).await.unwrap();
            later.get_or_insert_with(|| next.load(SeqCst));
            shown.extend(page.rows.iter().map(|row| row.json.parse::<u64>().unwrap()));
            match page.next {
                Some(cursor) => request.after = Some(cursor),
                None => break,
            }
            tokio::task::yield_now().await;
        }
        let set: BTreeSet<u64> = shown.iter().copied().collect();
        assert_eq!(set.len(), shown.len(), "no row shows twice");
        assert!(before.is_subset(&set), "what was answered before shows");
        let later = later.unwrap();
        assert!(
            shown.iter().all(|n| *n < later),
            "what was stored later does not show"
        );
    }
    stop.store(true, SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
}
