//! Copies that are taken while the history is recorded.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aimdb_persistence::backend::Rows;
use aimdb_persistence::{PersistenceBackend, PersistenceError, StorageErrorKind};
use aimdb_persistence_sqlite::SqliteBackend;

use crate::support::{contents, everything, kind, plain, query, read_all, scratch, store, values};

/// Rows `n` of the range, over ten series.
async fn store_numbers(backend: &SqliteBackend, range: std::ops::Range<u64>) {
    let mut rows = Rows::new();
    for n in range.clone() {
        rows.push(&format!("t.{}", n % 10), n, &n.to_string());
    }
    let outcome = backend.store_batch(Arc::new(rows)).await;
    assert_eq!(outcome.settled as u64, range.end - range.start);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_rows_come_is_sound_and_holds_all_that_was_stored_before() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    // Beyond one step of copying, with a tail that is not merged and long values.
    store_numbers(&backend, 0..100_000).await;
    let long = serde_json::json!("x".repeat(100_000));
    backend.store("long", &long, 7).await.unwrap();
    let goes_on = Arc::new(AtomicBool::new(true));
    let stored = Arc::new(AtomicU64::new(100_000));
    let recording = tokio::spawn({
        let (backend, goes_on, stored) = (backend.clone(), goes_on.clone(), stored.clone());
        async move {
            while goes_on.load(Ordering::Relaxed) {
                let n = stored.load(Ordering::Relaxed);
                store_numbers(&backend, n..n + 10).await;
                stored.store(n + 10, Ordering::Relaxed);
            }
        }
    });
    let mut most = 0;
    for turn in 0..3 {
        while stored.load(Ordering::Relaxed) < 100_000 + turn * 500 {
            tokio::task::yield_now().await;
        }
        let before = stored.load(Ordering::Relaxed) as usize;
        let copy = scratch.folder.path().join(format!("copy-{turn}.db"));
        backend.backup_to(&copy).await.unwrap();
        let sound: String = plain(&copy)
            .query_row("PRAGMA integrity_check", [], |r| r.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
        let restored = SqliteBackend::new(&copy).unwrap();
        let mut numbers = values(&restored, "t.*").await;
        numbers.sort_unstable();
        assert!(numbers.len() >= before && numbers.len() >= most);
        most = numbers.len();
        let first_ones: Vec<u64> = (0..most as u64).collect();
        assert_eq!(numbers, first_ones, "whole commits, in order");
        assert_eq!(query(&restored, "long").await[0].value, long);
        store(&restored, "t.0", 1, u64::from(u32::MAX)).await;
        restored.close().await.unwrap();
    }
    goes_on.store(false, Ordering::Relaxed);
    recording.await.unwrap();
    let stored = stored.load(Ordering::Relaxed);
    assert_eq!(values(&backend, "t.*").await.len() as u64, stored);
    backend.close().await.unwrap();
}

#[tokio::test]
async fn what_is_at_the_path_is_never_overwritten() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let other = scratch.folder.path().join("other.db");
    fs::write(&other, "of somebody else").unwrap();
    for path in [scratch.path.as_path(), &other, scratch.folder.path()] {
        let error = backend.backup_to(path).await.unwrap_err();
        assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
    }
    assert_eq!(fs::read_to_string(&other).unwrap(), "of somebody else");

    let to = scratch.folder.path().join("copy.db");
    fs::write(scratch.folder.path().join("copy.db.partial"), "begun").unwrap();
    let error = backend.backup_to(&to).await.unwrap_err();
    assert!(error.to_string().contains("remove this file"), "{error}");
    assert!(!to.exists());
    assert_eq!(values(&backend, "t").await, [1]);
}

/// SQLite would replay it into the copy.
#[tokio::test]
async fn what_another_file_left_beside_a_backups_name_is_not_taken_for_a_part_of_it() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy.db");
    // The log of an older history, which would be valid beside the copy.
    let older = SqliteBackend::new(scratch.folder.path().join("older.db")).unwrap();
    store(&older, "old", 7, 7).await;
    for part in ["-wal", "-shm", "-journal"] {
        for name in ["copy.db", "copy.db.partial"] {
            let left = folder.path().join(format!("{name}{part}"));
            fs::copy(scratch.folder.path().join("older.db-wal"), &left).unwrap();
            let error = backend.backup_to(&to).await.unwrap_err();
            assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
            assert!(
                error.to_string().contains(left.to_str().unwrap()),
                "{error}"
            );
            assert!(!to.exists());
            fs::remove_file(left).unwrap();
        }
    }
    backend.backup_to(&to).await.unwrap();
    let copy = SqliteBackend::new(&to).unwrap();
    assert_eq!(values(&copy, "#").await, [1]);
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_is_followed_to_make_a_backup() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    for name in ["copy.db", "copy.db.partial"] {
        let link = folder.path().join(name);
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        let error = backend.backup_to(folder.path().join("copy.db")).await;
        assert_eq!(kind(&error.unwrap_err()), StorageErrorKind::CannotOpen);
        assert!(!elsewhere.exists());
        fs::remove_file(link).unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_private_like_its_file_and_nothing_else_is_left() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy.db");
    backend.backup_to(&to).await.unwrap();
    assert_eq!(contents(folder.path()).len(), 1);
    assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let missing = folder.path().join("missing").join("copy.db");
    let error = backend.backup_to(&missing).await.unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
}

#[tokio::test]
async fn a_history_in_memory_and_one_that_is_only_read_can_be_saved() {
    let scratch = scratch();
    let in_memory = SqliteBackend::new(":memory:").unwrap();
    store_numbers(&in_memory, 0..1_000).await;
    in_memory.backup_to(&scratch.path).await.unwrap();

    let saved = SqliteBackend::builder(&scratch.path)
        .read_only()
        .open()
        .unwrap();
    let to = scratch.folder.path().join("again.db");
    saved.backup_to(&to).await.unwrap();
    let again = SqliteBackend::new(&to).unwrap();
    let (expected, _) = read_all(&in_memory, everything("#")).await;
    assert_eq!(expected.len(), 1_000);
    assert_eq!(read_all(&again, everything("#")).await.0, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_whose_caller_goes_or_whose_backend_is_closed_leaves_no_file() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store_numbers(&backend, 0..100_000).await;
    let folder = tempfile::tempdir().unwrap();
    for n in 0..20 {
        let to = folder.path().join(format!("{n}.db"));
        let backing_up = backend.backup_to(to);
        let given_up = tokio::time::timeout(std::time::Duration::from_micros(n * 50), backing_up);
        // Whichever was quicker.
        let _ = given_up.await;
    }
    let to = folder.path().join("closed.db");
    let backing_up = tokio::spawn({
        let (backend, to) = (backend.clone(), to.clone());
        async move { backend.backup_to(to).await }
    });
    backend.close().await.unwrap();
    assert_eq!(
        contents(scratch.folder.path()).len(),
        1,
        "the log is folded in"
    );
    let backed_up = backing_up.await.unwrap();
    assert_eq!(backed_up.is_ok(), to.exists());
    for (name, _) in contents(folder.path()) {
        assert!(!name.contains("partial"), "{name}");
        let copy = SqliteBackend::new(folder.path().join(name)).unwrap();
        assert_eq!(values(&copy, "t.*").await.len(), 100_000);
        copy.close().await.unwrap();
    }
    let error = backend.backup_to(folder.path().join("late.db")).await;
    assert!(matches!(error, Err(PersistenceError::BackendShutdown)));
}
