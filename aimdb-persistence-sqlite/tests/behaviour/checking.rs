//! Damage that SQLite does not see: told of, counted, an error for the strict, and found by a check.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aimdb_persistence::backend::{Row, RowVisitor, SweepRequest, Visit};
use aimdb_persistence::{PersistenceBackend, Retention, StorageErrorKind};
use aimdb_persistence_sqlite::{OnCorruption, SqliteBackend};

use crate::support::{everything, kind, open_error, plain, query, rows, scratch, store, values};

/// Changes a digit in a text, wherever it lies.
fn alter(path: &Path, text: &str) {
    let mut bytes = fs::read(path).unwrap();
    let found: Vec<_> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(text.as_bytes()))
        .collect();
    assert!(!found.is_empty(), "{text}");
    for at in found {
        bytes[at + text.len() - 2] ^= 1;
    }
    fs::write(path, bytes).unwrap();
}

/// A closed history of a thousand rows, one of which says another number than was stored.
async fn altered(folder: &Path) -> PathBuf {
    let path = folder.join("history.db");
    let backend = SqliteBackend::new(&path).unwrap();
    let texts: Vec<_> = (0..1_000).map(|at| (at, format!("[{at}]"))).collect();
    let many = rows(texts.iter().map(|(at, text)| ("t", *at, &**text)));
    assert_eq!(backend.store_batch(many).await.settled, 1_000);
    store(&backend, "other", 1, 1).await;
    backend.close().await.unwrap();
    alter(&path, "[500]");
    path
}

#[tokio::test]
async fn an_altered_row_is_left_out_counted_and_told_of() {
    let scratch = scratch();
    let path = altered(scratch.folder.path()).await;
    let backend = SqliteBackend::new(path).unwrap();
    let all = query(&backend, "t").await;
    assert_eq!(all.len(), 999);
    assert!(
        all.iter()
            .all(|row| row.stored_at != 500 && row.value[0] == row.stored_at)
    );
    let health = backend.health();
    assert_eq!(health.damaged_rows, 1);
    let what = health.damage.unwrap();
    assert!(what.contains("record `t` at 500 ms"), "{what}");
    assert_eq!(values(&backend, "other").await, [1], "recording goes on");
    store(&backend, "other", 2, 2).await;
}

/// Does without no row.
struct Strict(usize);

impl RowVisitor for Strict {
    fn visit(&mut self, _: Row<'_>) -> Visit {
        self.0 += 1;
        Visit::Continue
    }

    fn skips_damaged(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn who_wants_every_row_gets_an_error_that_names_record_and_time() {
    let scratch = scratch();
    let path = altered(scratch.folder.path()).await;
    let backend = SqliteBackend::new(path).unwrap();
    let scanned = backend
        .scan(everything("#"), None, Box::new(Strict(0)))
        .await;
    let Err(error) = scanned else {
        panic!("it went on");
    };
    assert_eq!(kind(&error), StorageErrorKind::Corrupt);
    assert!(
        error.to_string().contains("record `t` at 500 ms"),
        "{error}"
    );
}

#[tokio::test]
async fn with_quarantine_an_altered_row_has_the_file_set_aside() {
    let scratch = scratch();
    let path = altered(scratch.folder.path()).await;
    let backend = SqliteBackend::builder(&path)
        .on_corruption(OnCorruption::Quarantine)
        .open()
        .unwrap();
    assert_eq!(query(&backend, "t").await.len(), 999);
    while backend.health().fresh_starts.is_empty() {
        tokio::task::yield_now().await;
    }
    store(&backend, "t", 1, 1).await;
    assert_eq!(values(&backend, "t").await, [1]);
}

#[tokio::test]
async fn a_check_finds_what_no_query_asks_for_while_recording_goes_on() {
    let scratch = scratch();
    let path = altered(scratch.folder.path()).await;
    let backend = SqliteBackend::new(&path).unwrap();
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    let checking = backend.check(move |progress| seen.lock().unwrap().push(progress.rows));
    let (report, ()) = tokio::join!(checking, async {
        for at in 0..50 {
            store(&backend, "new", at, at).await;
        }
    });
    let report = report.unwrap();
    assert_eq!(report.problems, 1, "{report:?}");
    assert!(
        report.first[0].contains("record `t` at 500 ms"),
        "{report:?}"
    );
    assert!(report.rows >= 1_001);
    assert!(steps.lock().unwrap().is_sorted() && steps.lock().unwrap().len() > 3);

    backend.close().await.unwrap();
    let checking = SqliteBackend::builder(&path).check_on_open();
    let error = checking.open().expect_err("it is damaged");
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("500 ms"), "{error}");
}

#[tokio::test]
async fn a_check_misses_long_values_and_rows_that_are_gone() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let long = serde_json::json!("x".repeat(2_000));
    backend.store("long", &long, 7).await.unwrap();
    let many = rows((0..500).map(|at| ("t", at, "1")));
    backend.store_batch(many).await;
    assert!(backend.check(|_| {}).await.unwrap().is_sound());
    let other = plain(&scratch.path);
    other.execute("DELETE FROM large", []).unwrap();
    other
        .execute("DELETE FROM row WHERE stored_at = 3", [])
        .unwrap();
    let report = backend.check(|_| {}).await.unwrap();
    assert_eq!(report.problems, 2, "{report:?}");
    let [gone, counted] = &report.first[..] else {
        panic!("{report:?}")
    };
    assert!(gone.contains("`long` at 7 ms"), "{gone}");
    assert!(
        counted.contains("of 500 rows of record `t` 499"),
        "{counted}"
    );
    // A query that asks for all rows of the series misses it as well.
    assert_eq!(query(&backend, "t").await.len(), 499);
    let what = backend.health().damage.unwrap();
    assert!(
        what.contains("of 500 rows of record `t` only 499"),
        "{what}"
    );
}

#[tokio::test]
async fn what_is_declared_is_not_used_where_it_is_altered() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let many = rows((0..500).map(|at| ("a.series", at, "1")));
    backend.store_batch(many).await;
    let other = plain(&scratch.path);
    let alter = "UPDATE series SET retention_ms = 1";
    other.execute(alter, []).unwrap();
    // Before rows are removed by it.
    let request = SweepRequest {
        now_ms: 1_000_000,
        default_retention: Retention::Forever,
        longest_retention: Retention::Forever,
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    };
    let error = backend.sweep(request).await.unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    backend.close().await.unwrap();

    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let error = backend.query("a.*", Default::default()).await.unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    backend.close().await.unwrap();
    other.execute("UPDATE state SET settled = 9", []).unwrap();
    drop(other);
    let error = open_error_or_query(&scratch.path).await;
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
}

async fn open_error_or_query(path: &Path) -> aimdb_persistence::PersistenceError {
    match SqliteBackend::new(path) {
        Ok(backend) => backend
            .query("a.series", Default::default())
            .await
            .unwrap_err(),
        Err(_) => open_error(path),
    }
}
