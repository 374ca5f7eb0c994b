//! A file that is moved, removed or replaced while it is recorded into.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use aimdb_persistence::{PersistenceBackend, StorageErrorKind};
use aimdb_persistence_sqlite::{OnCorruption, SqliteBackend};

use crate::support::{kind, plain, query, rows, scratch, store, values};

const PARTS: [&str; 3] = ["", "-wal", "-shm"];

fn part(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

#[tokio::test]
async fn after_its_file_is_removed_recording_goes_on_in_a_new_one_and_says_so() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    backend.flush().await.unwrap();
    for suffix in PARTS {
        fs::remove_file(part(&scratch.path, suffix)).unwrap();
    }
    let error = backend.flush().await.unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::Io, "{error}");
    assert!(error.to_string().contains("removed"), "{error}");
    backend.flush().await.unwrap();

    store(&backend, "t", 2, 2).await;
    assert_eq!(values(&backend, "t").await, [2]);
    let health = backend.health();
    assert_eq!(health.fresh_starts.len(), 1);
    assert_eq!(health.fresh_starts[0].set_aside, None);
    backend.close().await.unwrap();
    let reopened = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(values(&reopened, "t").await, [2]);
}

#[tokio::test]
async fn a_store_after_the_file_was_moved_lies_at_the_path_and_the_moved_file_keeps_its_rows() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let moved = scratch.folder.path().join("moved.db");
    for suffix in PARTS {
        fs::rename(part(&scratch.path, suffix), part(&moved, suffix)).unwrap();
    }
    store(&backend, "t", 2, 2).await;
    assert!(
        backend.close().await.is_err(),
        "it says that the file was moved"
    );
    for (path, expected) in [(&scratch.path, 2), (&moved, 1)] {
        let backend = SqliteBackend::new(path).unwrap();
        assert_eq!(values(&backend, "t").await, [expected]);
    }
}

#[tokio::test]
async fn while_no_file_can_be_made_rows_are_refused_and_when_it_can_they_are_stored() {
    let scratch = scratch();
    let folder = scratch.folder.path().join("folder");
    let path = folder.join("history.db");
    let backend = SqliteBackend::new(&path).unwrap();
    store(&backend, "t", 1, 1).await;
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "a file where the folder was").unwrap();
    for _ in 0..2 {
        let outcome = backend.store_batch(rows([("t", 2, "2")])).await;
        let error = outcome.stopped_by.unwrap();
        assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
    }
    fs::remove_file(&folder).unwrap();
    store(&backend, "t", 3, 3).await;
    assert_eq!(values(&backend, "t").await, [3]);
    assert_eq!(backend.health().fresh_starts.len(), 1);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_recorded_into_and_read() {
    let (scratch, other) = (scratch(), scratch());
    let replacement = SqliteBackend::new(&other.path).unwrap();
    store(&replacement, "t", 10, 10).await;
    replacement.close().await.unwrap();

    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let reader = SqliteBackend::builder(&scratch.path)
        .read_only()
        .open()
        .unwrap();
    store(&backend, "t", 1, 1).await;
    assert_eq!(values(&reader, "t").await, [1]);
    for suffix in &PARTS[1..] {
        fs::remove_file(part(&scratch.path, suffix)).unwrap();
    }
    fs::rename(&other.path, &scratch.path).unwrap();
    store(&backend, "t", 11, 11).await;
    assert_eq!(values(&backend, "t").await, [11, 10]);
    assert_eq!(values(&reader, "t").await, [11, 10]);
}

/// The other backend of a file that one has set aside loses nothing that it is answered for.
#[tokio::test]
async fn two_backends_of_a_damaged_file_go_on_in_one_new_file() {
    let scratch = scratch();
    let open = || {
        let builder = SqliteBackend::builder(&scratch.path);
        builder.on_corruption(OnCorruption::Quarantine).open()
    };
    let first = open().unwrap();
    let many = rows((0..10_000).map(|at| (if at < 10 { "sound" } else { "t" }, at, "1")));
    assert_eq!(first.store_batch(many).await.settled, 10_000);
    first.close().await.unwrap();
    let mut bytes = fs::read(&scratch.path).unwrap();
    bytes[16 * 4_096..].fill(0xAA);
    fs::write(&scratch.path, bytes).unwrap();

    let (one, two) = (open().unwrap(), open().unwrap());
    store(&two, "sound", 2, 100).await;
    let dense = rows((10_000..10_100).map(|at| ("t", at, "2")));
    assert_eq!(one.store_batch(dense).await.settled, 100);
    store(&two, "two", 2, 2).await;
    store(&one, "one", 3, 3).await;
    for backend in [&one, &two] {
        assert_eq!(query(backend, "*").await.len(), 102);
        assert_eq!(values(backend, "two").await, [2]);
        assert_eq!(backend.health().fresh_starts.len(), 1);
    }
    let aside = one.health().fresh_starts[0].set_aside.clone().unwrap();
    let old = SqliteBackend::builder(aside).read_only().open().unwrap();
    assert_eq!(values(&old, "sound").await.len(), 11);
}

/// How many rows the file holds, as SQLite itself sees it, and whether it is sound.
fn plain_rows(path: &Path) -> (i64, String) {
    let connection = plain(path);
    let one = |sql| connection.query_row(sql, [], |r| r.get(0)).unwrap();
    let check = connection.query_row("PRAGMA integrity_check", [], |r| r.get(0));
    (one("SELECT count(*) FROM record_history"), check.unwrap())
}

/// What `mv monday.db history.db` does: the log of the file that was there stays.
#[tokio::test]
async fn a_backup_put_in_place_by_a_rename_alone_is_what_is_read_and_recorded_into() {
    for round in 0..20_u64 {
        let scratch = scratch();
        let monday = scratch.folder.path().join("monday.db");
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        let many = rows((0..700).map(|at| ("t", at, "1")));
        assert_eq!(backend.store_batch(many).await.settled, 700);
        backend.backup_to(&monday).await.unwrap();
        for at in 0..50 + 7 * round {
            store(&backend, ["u", "v", "w"][at as usize % 3], 2, at).await;
        }
        backend.flush().await.unwrap();
        fs::rename(&monday, &scratch.path).unwrap();

        if round % 2 == 0 {
            store(&backend, "t", 3, 700).await;
        }
        let error = backend.flush().await.unwrap_err();
        assert!(error.to_string().contains("replaced"), "{error}");
        backend.flush().await.unwrap();
        if round % 2 == 1 {
            store(&backend, "t", 3, 700).await;
        }
        assert_eq!(query(&backend, "t").await.len(), 701);
        assert_eq!(
            query(&backend, "#").await.len(),
            701,
            "the rest is not of Monday"
        );
        backend.close().await.unwrap();
        assert_eq!(plain_rows(&scratch.path), (701, "ok".to_owned()));
    }
}

/// `mv` of the file alone: what only its log held goes along.
#[tokio::test]
async fn a_file_that_is_moved_without_its_log_takes_along_what_was_stored() {
    for stores_first in [false, true] {
        let scratch = scratch();
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        for at in 0..500 {
            store(&backend, "t", at, at).await;
        }
        backend.flush().await.unwrap();
        let moved = scratch.folder.path().join("moved.db");
        fs::rename(&scratch.path, &moved).unwrap();
        if stores_first {
            store(&backend, "t", 1_000, 1_000).await;
        }
        let error = backend.flush().await.unwrap_err();
        assert!(error.to_string().contains("moved"), "{error}");
        assert_eq!(plain_rows(&moved), (500, "ok".to_owned()));
        store(&backend, "t", 2_000, 2_000).await;
        let expected: &[u64] = if stores_first {
            &[2_000, 1_000]
        } else {
            &[2_000]
        };
        assert_eq!(values(&backend, "t").await, expected);
        backend.close().await.unwrap();
        assert_eq!(plain_rows(&moved), (500, "ok".to_owned()));
        assert_eq!(plain_rows(&scratch.path).0, expected.len() as i64);
    }
}

#[tokio::test]
async fn that_a_file_was_lost_reaches_the_next_flush_whatever_came_between() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    fs::remove_file(&scratch.path).unwrap();
    backend.cleanup(1).await.unwrap();
    store(&backend, "t", 2, 2).await;
    let declaration = aimdb_persistence::backend::SeriesDeclaration::new("t").with_template("t");
    backend.declare(&[declaration]).await.unwrap();
    assert_eq!(backend.erase("t", 10, 20).await.unwrap(), 0);
    assert!(backend.flush().await.is_err());
    backend.flush().await.unwrap();
    backend.close().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_was_deleted_does_not_come_back_while_there_is_nothing_to_store() {
    let scratch = scratch();
    let folder = scratch.folder.path().join("folder");
    let backend = SqliteBackend::new(folder.join("history.db")).unwrap();
    store(&backend, "t", 1, 1).await;
    backend.flush().await.unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(backend.flush().await.is_err(), "it says so once");
    backend.flush().await.unwrap();
    assert_eq!(backend.cleanup(100).await.unwrap(), 0);
    assert_eq!(backend.erase("t", 0, 100).await.unwrap(), 0);
    backend.close().await.unwrap();
    assert!(!folder.exists());
}
