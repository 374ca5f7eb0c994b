//! Rows expire by their own series' retention, in small steps, and the file shrinks.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::backend::{Rows, SeriesDeclaration, SweepReport, SweepRequest};
use aimdb_persistence::{PersistenceBackend, Retention};
use aimdb_persistence_sqlite::SqliteBackend;

use crate::support::{plain, query, rows, scratch, store, values};

const DAY_MS: u64 = 86_400_000;

fn declared(record_name: &str, retention: Option<Retention>) -> SeriesDeclaration {
    SeriesDeclaration::new(record_name)
        .with_template("t.{n}")
        .with_retention(retention)
}

fn request(now_ms: u64, default_retention: Retention) -> SweepRequest {
    SweepRequest {
        now_ms,
        default_retention,
        longest_retention: Retention::Forever,
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    }
}

/// The log's bytes: what any write adds to.
fn log_of(path: &Path) -> Vec<u8> {
    fs::read(format!("{}-wal", path.display())).unwrap()
}

#[tokio::test]
async fn each_series_expires_by_its_own_retention_and_others_by_the_default() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let declarations = [
        declared("t.short", Some(Retention::Milliseconds(10))),
        declared("t.forever", Some(Retention::Forever)),
        declared("t.default", None),
        declared("t.longest", Some(Retention::Milliseconds(u64::MAX))),
    ];
    backend.declare(&declarations).await.unwrap();
    let keys = [
        "t.short",
        "t.forever",
        "t.default",
        "t.longest",
        "t.undeclared",
    ];
    backend
        .store_batch(rows(
            (0..=100).flat_map(|at| keys.map(|key| (key, at, "1"))),
        ))
        .await;
    backend.close().await.unwrap();

    // A program that declares nothing sweeps by what the file remembers.
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let report = backend
        .sweep(request(100, Retention::Milliseconds(50)))
        .await
        .unwrap();
    assert_eq!((report.removed, report.put_off), (90 + 50 + 50, None));
    let left = async |key| query(&backend, key).await.len();
    assert_eq!(left("t.short").await, 11, "the row at the cutoff stays");
    assert_eq!(left("t.forever").await, 101);
    assert_eq!(left("t.default").await, 51);
    assert_eq!(left("t.longest").await, 101);
    assert_eq!(left("t.undeclared").await, 51);
}

#[tokio::test]
async fn cleanup_is_literal_whatever_is_declared() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    backend
        .declare(&[declared("t.a", Some(Retention::Forever))])
        .await
        .unwrap();
    backend
        .store_batch(rows(
            (0..2_000).flat_map(|at| [("t.a", at, "1"), ("t.b", at, "1")]),
        ))
        .await;
    store(&backend, "t.a", 1, i64::MAX.cast_unsigned()).await;
    assert_eq!(backend.cleanup(0).await.unwrap(), 0);
    assert_eq!(backend.cleanup(1_500).await.unwrap(), 3_000);
    assert_eq!(query(&backend, "*").await.last().unwrap().stored_at, 1_500);
    assert_eq!(backend.cleanup(u64::MAX).await.unwrap(), 1_001);
    assert!(query(&backend, "*").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_shrinks_and_stores_go_on_meanwhile() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for start in (0..60_000).step_by(10_000) {
        let batch = rows(
            (start..start + 10_000).map(|at| ("t", at, "\"thirty-three bytes of some text\"")),
        );
        assert_eq!(backend.store_batch(batch).await.settled, 10_000);
    }
    plain(&scratch.path)
        .query_row("PRAGMA wal_checkpoint", [], |_| Ok(()))
        .unwrap();
    let full_bytes = fs::metadata(&scratch.path).unwrap().len();

    let sweeping = tokio::spawn({
        let backend = backend.clone();
        async move {
            backend
                .sweep(request(60_000, Retention::Milliseconds(1_000)))
                .await
        }
    });
    let mut stored_meanwhile = 0;
    while !sweeping.is_finished() {
        store(
            &backend,
            "other",
            stored_meanwhile,
            60_000 + stored_meanwhile,
        )
        .await;
        stored_meanwhile += 1;
    }
    assert_eq!(sweeping.await.unwrap().unwrap().removed, 59_000);
    assert!(
        stored_meanwhile > 2,
        "stores waited for the sweep: {stored_meanwhile}"
    );
    assert_eq!(query(&backend, "t").await.len(), 1_000);
    assert_eq!(
        query(&backend, "other").await.len() as u64,
        stored_meanwhile
    );
    let bytes = fs::metadata(&scratch.path).unwrap().len();
    assert!(bytes < full_bytes / 3, "{full_bytes} bytes became {bytes}");
}

#[tokio::test]
async fn a_sweep_that_a_leaping_clock_asks_for_is_put_off_until_the_clock_is_trusted() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let week = Retention::Milliseconds(7 * DAY_MS);
    let now = 1_000 * DAY_MS;
    store(&backend, "t", 1, now).await;
    let sweep = async |now_ms, clock_is_trusted| {
        let request = SweepRequest {
            max_ahead_ms: 3_600_000,
            clock_is_trusted,
            ..request(now_ms, week)
        };
        backend.sweep(request).await.unwrap()
    };
    assert_eq!(
        sweep(now, false).await.put_off,
        None,
        "nothing to compare with"
    );
    let year = 365 * DAY_MS;
    for _ in 0..2 {
        let expected = SweepReport {
            removed: 0,
            put_off: Some(year),
            ..SweepReport::default()
        };
        assert_eq!(sweep(now + year, false).await, expected);
    }
    assert_eq!(values(&backend, "t").await, [1]);
    assert_eq!(
        sweep(now - year, false).await.put_off,
        None,
        "a clock that went back erases nothing"
    );
    assert_eq!(sweep(now + year, true).await.removed, 1);
}

#[tokio::test]
async fn a_plausible_absence_is_swept_without_a_trusted_clock() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let now = 1_000 * DAY_MS;
    store(&backend, "t", 1, now).await;
    let day = request(now, Retention::Milliseconds(DAY_MS));
    backend.sweep(day).await.unwrap();
    let later = SweepRequest {
        now_ms: now + 2 * DAY_MS,
        clock_is_trusted: false,
        ..day
    };
    assert_eq!(
        backend.sweep(later).await.unwrap(),
        SweepReport {
            removed: 1,
            ..SweepReport::default()
        }
    );
}

#[tokio::test]
async fn a_restart_that_declares_the_same_and_a_sweep_that_finds_nothing_write_nothing() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let declarations = [
        declared("t.a", Some(Retention::Milliseconds(5 * DAY_MS))),
        declared("t.b", Some(Retention::Forever)),
        declared("t.c", None),
        declared("t.c", None),
    ];
    backend.declare(&declarations).await.unwrap();
    store(&backend, "t.a", 1, 10 * DAY_MS).await;
    backend
        .sweep(request(10 * DAY_MS, Retention::Forever))
        .await
        .unwrap();

    let before = log_of(&scratch.path);
    backend.declare(&declarations).await.unwrap();
    let report = backend
        .sweep(request(10 * DAY_MS + 1, Retention::Forever))
        .await
        .unwrap();
    assert_eq!(report, SweepReport::default());
    assert_eq!(backend.cleanup(1).await.unwrap(), 0);
    backend.flush().await.unwrap();
    assert!(log_of(&scratch.path) == before);

    backend.declare(&[declared("t.b", None)]).await.unwrap();
    assert!(
        log_of(&scratch.path) != before,
        "what did change is written"
    );
}

#[tokio::test]
async fn a_declaration_adopts_a_series_that_is_there_and_creates_one_that_is_not() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t.a", 1, 1).await;
    let declarations = [
        declared("t.a", Some(Retention::Milliseconds(7))),
        declared("t.b", None),
    ];
    backend.declare(&declarations).await.unwrap();
    let read = |key: &str| -> (String, Option<i64>) {
        plain(&scratch.path)
            .query_row(
                "SELECT template, retention_ms FROM series WHERE key = ?1",
                [key],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .unwrap()
    };
    assert_eq!(read("t.a"), ("t.{n}".to_owned(), Some(7)));
    assert_eq!(read("t.b"), ("t.{n}".to_owned(), None));
    assert_eq!(values(&backend, "t.*").await, [1]);
    assert!(backend.declare(&[declared("a..b", None)]).await.is_err());
    assert!(backend.keeps_declarations());
}

#[tokio::test]
async fn a_sweep_whose_future_is_dropped_does_no_harm() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let mut batch = Rows::new();
    (0..20_000).for_each(|at| batch.push("t", at, "1"));
    backend.store_batch(Arc::new(batch)).await;
    // Polled once: the sweep is under way, or about to be.
    let _ = tokio::time::timeout(Duration::ZERO, backend.cleanup(19_000)).await;
    store(&backend, "u", 1, 30_000).await;
    backend.cleanup(20_000).await.unwrap();
    assert_eq!(values(&backend, "*").await, [1]);
}
