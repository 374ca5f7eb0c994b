//! A backend that is dropped or closed is gone: its threads ended, its file closed, its log folded
//! in.
#![allow(clippy::disallowed_methods)]
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aimdb_persistence::backend::Rows;
use aimdb_persistence::{PersistenceBackend, PersistenceError, QueryParams};
use aimdb_persistence_sqlite::{Durability, SqliteBackend};
use serde_json::json;
use tokio::sync::Mutex;

/// Threads are counted in the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("aimdb-"))
        .count()
}

fn open_files_in(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir("/proc/self/fd").unwrap();
    files
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
        .filter(|target| target.starts_with(folder))
        .collect()
}

/// Ending is not waited for by whoever drops the backend, so the test has to.
async fn until_gone(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while threads() > 0 || !open_files_in(folder).is_empty() {
        assert!(
            Instant::now() < deadline,
            "{} threads and {:?} are still there",
            threads(),
            open_files_in(folder)
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A thread is spawned under another name and then takes its own.
async fn until_there_are(count: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while threads() != count {
        assert!(Instant::now() < deadline, "there are {}", threads());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn some_rows(count: u64) -> Arc<Rows> {
    let mut rows = Rows::new();
    (0..count).for_each(|at| rows.push("t", at, "1"));
    Arc::new(rows)
}

#[tokio::test]
async fn dropping_the_last_clone_ends_the_threads_closes_the_file_and_folds_in_the_log() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    for durability in [
        Durability::Full,
        Durability::Grouped {
            every: Duration::from_secs(3600),
        },
    ] {
        let backend = SqliteBackend::builder(&path)
            .durability(durability)
            .open()
            .unwrap();
        let clone = backend.clone();
        drop(backend);
        clone.store("t", &json!(1), 1).await.unwrap();
        until_there_are(3).await;
        assert!(!open_files_in(folder.path()).is_empty());
        drop(clone);
        until_gone(folder.path()).await;
        let left: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|f| f.unwrap().file_name())
            .collect();
        assert_eq!(left, ["history.db"]);
    }
}

#[tokio::test]
async fn what_was_handed_over_before_the_drop_is_written() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let backend = SqliteBackend::new(&path).unwrap();
    // Polled once and dropped: the rows are in the queue, and nobody waits for the answer.
    let _ = tokio::time::timeout(Duration::ZERO, backend.store_batch(some_rows(5_000))).await;
    drop(backend);
    until_gone(folder.path()).await;
    let backend = SqliteBackend::new(&path).unwrap();
    assert_eq!(
        backend
            .query("t", QueryParams::default())
            .await
            .unwrap()
            .len(),
        5_000
    );
    backend.close().await.unwrap();
    until_gone(folder.path()).await;
}

#[tokio::test]
async fn after_close_every_call_on_every_clone_says_that_the_backend_has_shut_down() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("history.db"), PathBuf::from(":memory:")] {
        let backend = SqliteBackend::new(&path).unwrap();
        let clone = backend.clone();
        backend.store_batch(some_rows(10)).await;
        backend.close().await.unwrap();
        assert!(
            open_files_in(folder.path()).is_empty(),
            "closed when close resolves"
        );
        until_gone(folder.path()).await;
        let answers = [
            clone.store("t", &json!(1), 1).await.unwrap_err(),
            clone.query("t", QueryParams::default()).await.unwrap_err(),
            clone.cleanup(5).await.unwrap_err(),
            clone.flush().await.unwrap_err(),
            clone.store_batch(some_rows(1)).await.stopped_by.unwrap(),
        ];
        for error in answers {
            assert!(
                matches!(error, PersistenceError::BackendShutdown),
                "{error}"
            );
        }
        clone.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_under_load_answers_every_call_and_keeps_what_it_answered_for() {
    let _alone = ALONE.lock().await;
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let backend = SqliteBackend::new(&path).unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let backend = backend.clone();
                tokio::spawn(async move {
                    let mut stored = 0;
                    while backend.store("t", &json!(stored), task).await.is_ok() {
                        stored += 1;
                        let _ = backend
                            .query(
                                "t",
                                QueryParams {
                                    limit_per_record: Some(1),
                                    ..QueryParams::default()
                                },
                            )
                            .await;
                    }
                    stored
                })
            })
            .collect();
        tokio::task::yield_now().await;
        backend.close().await.unwrap();
        let mut answered = 0;
        for task in tasks {
            answered += task.await.unwrap();
        }
        let backend = SqliteBackend::new(&path).unwrap();
        assert_eq!(
            backend
                .query("t", QueryParams::default())
                .await
                .unwrap()
                .len(),
            answered
        );
        backend.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_backend_that_only_reads_ends_its_threads_too() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    SqliteBackend::new(&path).unwrap().close().await.unwrap();
    let reader = SqliteBackend::builder(&path)
        .read_only()
        .readers(3)
        .open()
        .unwrap();
    until_there_are(3).await;
    drop(reader);
    until_gone(folder.path()).await;
}

#[tokio::test]
async fn a_backend_that_cannot_be_opened_leaves_nothing_running() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    fs::write(
        &path,
        "not a database, but long enough to be looked at more than once",
    )
    .unwrap();
    assert!(SqliteBackend::new(&path).is_err());
    assert!(SqliteBackend::builder(&path).read_only().open().is_err());
    until_gone(folder.path()).await;
}
