//! Reading where nothing may be written, and without leaving anything behind. Root may write everywhere, so these run as an
//! ordinary user.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aimdb_persistence::StorageErrorKind;
use aimdb_persistence_sqlite::{SqliteBackend, salvage};

use crate::processes::{
    Elsewhere, be_ready_until_told_to_end, is_run_as_ordinary_user, path_given, run_as_another_user,
};
use crate::support::{Scratch, kind, open_error, scratch, store, values};

/// A closed history of one row in a folder of its own.
async fn closed_history() -> Scratch {
    let mut scratch = scratch();
    scratch.path = scratch.folder.path().join("folder/history.db");
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    backend.close().await.unwrap();
    scratch
}

fn read_only(path: &Path) -> SqliteBackend {
    SqliteBackend::builder(path).read_only().open().unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn names_beside(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Of the file and its log.
fn bytes(path: &Path) -> [Vec<u8>; 2] {
    ["", "-wal"].map(|part| fs::read(format!("{}{part}", path.display())).unwrap())
}

/// A folder into which nothing can be written, until it is dropped.
struct Sealed<'a>(&'a Path);

impl<'a> Sealed<'a> {
    fn folder_of(path: &'a Path) -> Self {
        let folder = path.parent().unwrap();
        set_mode(folder, 0o500);
        assert!(fs::write(folder.join("probe"), "").is_err());
        Self(folder)
    }
}

impl Drop for Sealed<'_> {
    fn drop(&mut self) {
        set_mode(self.0, 0o700);
    }
}

#[tokio::test]
async fn a_file_in_a_folder_that_cannot_be_written_is_read_as_it_is() {
    const TEST: &str = "read_only::a_file_in_a_folder_that_cannot_be_written_is_read_as_it_is";
    if is_run_as_ordinary_user(TEST) {
        return;
    }
    for mode in [0o400, 0o600] {
        let scratch = closed_history().await;
        set_mode(&scratch.path, mode);
        let _sealed = Sealed::folder_of(&scratch.path);
        let reader = read_only(&scratch.path);
        assert_eq!(values(&reader, "t").await, [1], "mode {mode:o}");
        let to = scratch.folder.path().join("copy.db");
        reader.backup_to(&to).await.unwrap();
        assert_eq!(values(&read_only(&to), "t").await, [1]);
        reader.close().await.unwrap();
        assert_eq!(names_beside(&scratch.path), ["history.db"]);

        assert!(matches!(
            kind(&open_error(&scratch.path)),
            StorageErrorKind::ReadOnly | StorageErrorKind::CannotOpen
        ));
        let new = open_error(scratch.path.with_file_name("new.db"));
        assert_eq!(kind(&new), StorageErrorKind::CannotOpen);
    }
}

/// What it made would belong to whoever reads, and a recorder that runs as somebody else could not open it.
#[tokio::test]
async fn a_reader_leaves_no_file_beside_the_history() {
    if is_run_as_ordinary_user("read_only::a_reader_leaves_no_file_beside_the_history") {
        return;
    }
    for mode in [0o400, 0o600] {
        let scratch = closed_history().await;
        set_mode(&scratch.path, mode);
        for _ in 0..2 {
            let (one, other) = (read_only(&scratch.path), read_only(&scratch.path));
            for reader in [&one, &other] {
                assert_eq!(values(reader, "t").await, [1]);
            }
            if mode == 0o400 {
                // It could not remove them.
                assert_eq!(names_beside(&scratch.path), ["history.db"]);
            }
            other.close().await.unwrap();
            one.close().await.unwrap();
            assert_eq!(names_beside(&scratch.path), ["history.db"], "mode {mode:o}");
        }
    }
}

/// Its log has rows that the file does not have. Another process is the recorder: within one, SQLite shares the index.
#[tokio::test]
async fn a_history_that_somebody_else_records_is_read_and_followed() {
    const TEST: &str = "read_only::a_history_that_somebody_else_records_is_read_and_followed";
    if let Some(path) = path_given() {
        let backend = SqliteBackend::new(&path).unwrap();
        store(&backend, "t", 1, 1).await;
        be_ready_until_told_to_end(&path);
        store(&backend, "t", 2, 2).await;
        return backend.close().await.unwrap();
    }
    if is_run_as_ordinary_user(TEST) {
        return;
    }
    for is_killed in [false, true] {
        let mut scratch = scratch();
        scratch.path = scratch.folder.path().join("folder/history.db");
        let path = &scratch.path;
        let recorder = Elsewhere::start(TEST, path);
        for part in ["", "-wal", "-shm"] {
            set_mode(Path::new(&format!("{}{part}", path.display())), 0o400);
        }
        let sealed = Sealed::folder_of(path);
        let reader = read_only(path);
        assert_eq!(values(&reader, "t").await, [1]);
        let expected = match is_killed {
            true => {
                recorder.kill();
                vec![1]
            }
            false => {
                recorder.end();
                vec![2, 1]
            }
        };
        assert_eq!(values(&reader, "t").await, expected);
        let late = read_only(path);
        assert_eq!(values(&late, "t").await, expected);
        reader.close().await.unwrap();
        late.close().await.unwrap();
        drop(sealed);
        for name in names_beside(path) {
            set_mode(&path.with_file_name(name), 0o600);
        }
        let backend = SqliteBackend::new(path).unwrap();
        assert_eq!(values(&backend, "t").await, expected);
    }
}

/// A reader without locks sees that the file is changed, and takes locks from then on.
#[tokio::test]
async fn a_reader_of_a_file_that_it_may_not_write_follows_a_recorder_that_begins_later() {
    const TEST: &str =
        "read_only::a_reader_of_a_file_that_it_may_not_write_follows_a_recorder_that_begins_later";
    if is_run_as_ordinary_user(TEST) {
        return;
    }
    let scratch = closed_history().await;
    set_mode(&scratch.path, 0o400);
    let reader = read_only(&scratch.path);
    assert_eq!(values(&reader, "t").await, [1]);
    set_mode(&scratch.path, 0o600);
    let recorder = SqliteBackend::new(&scratch.path).unwrap();
    for at in 2..50 {
        store(&recorder, "t", at, at).await;
        let expected: Vec<u64> = (1..=at).rev().collect();
        assert_eq!(values(&reader, "t").await, expected);
    }
    recorder.close().await.unwrap();
    assert_eq!(values(&reader, "t").await.len(), 49);
    reader.close().await.unwrap();
    let recorder = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(values(&recorder, "t").await.len(), 49);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_where_nothing_may_be_written_is_a_clear_error() {
    const TEST: &str =
        "read_only::a_log_that_cannot_be_read_where_nothing_may_be_written_is_a_clear_error";
    if is_run_as_ordinary_user(TEST) {
        return;
    }
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let copy = scratch.folder.path().join("folder/history.db");
    fs::create_dir(copy.parent().unwrap()).unwrap();
    for part in ["", "-wal"] {
        let name = |path: &Path| format!("{}{part}", path.display());
        fs::copy(name(&scratch.path), name(&copy)).unwrap();
    }
    let sealed = Sealed::folder_of(&copy);
    let error = SqliteBackend::builder(&copy)
        .read_only()
        .open()
        .unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
    assert!(error.to_string().contains("copy file and log"), "{error}");
    assert!(!error.to_string().contains(".read_only()"), "{error}");
    drop(sealed);
    let before = bytes(&copy);
    let reader = read_only(&copy);
    assert_eq!(values(&reader, "t").await, [1]);
    reader.close().await.unwrap();
    assert!(bytes(&copy) == before, "reading changes neither");
}

/// Reads as somebody who may write, too: root makes the file, another user reads it.
#[tokio::test]
async fn a_reader_who_is_not_the_owner_leaves_nothing_that_is_his() {
    const TEST: &str = "read_only::a_reader_who_is_not_the_owner_leaves_nothing_that_is_his";
    if let Some(path) = path_given() {
        for _ in 0..2 {
            let reader = SqliteBackend::builder(path.clone()).readers(3).read_only();
            let reader = reader.open().unwrap();
            assert_eq!(values(&reader, "t").await, [1]);
            reader.close().await.unwrap();
            assert_eq!(names_beside(&path), ["history.db"]);
        }
        return;
    }
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let copy = scratch.folder.path().join("folder/history.db");
    fs::create_dir(copy.parent().unwrap()).unwrap();
    for folder in [scratch.folder.path(), copy.parent().unwrap()] {
        set_mode(folder, 0o777);
    }
    for parts in [vec![""], vec!["", "-wal"]] {
        let from = match parts.len() {
            1 => {
                backend
                    .backup_to(scratch.folder.path().join("1.db"))
                    .await
                    .unwrap();
                scratch.folder.path().join("1.db")
            }
            _ => scratch.path.clone(),
        };
        for part in parts {
            let name = |path: &Path| format!("{}{part}", path.display());
            fs::copy(name(&from), name(&copy)).unwrap();
            set_mode(Path::new(&name(&copy)), 0o666);
        }
        run_as_another_user(TEST, &copy);
        let recorder = SqliteBackend::new(&copy).unwrap();
        assert_eq!(values(&recorder, "t").await, [1]);
        recorder.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_damaged_file_that_may_only_be_read_is_salvaged() {
    if is_run_as_ordinary_user("read_only::a_damaged_file_that_may_only_be_read_is_salvaged") {
        return;
    }
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let copy = scratch.folder.path().join("folder/history.db");
    fs::create_dir(copy.parent().unwrap()).unwrap();
    for part in ["", "-wal"] {
        let name = |path: &Path| format!("{}{part}", path.display());
        fs::copy(name(&scratch.path), name(&copy)).unwrap();
        set_mode(Path::new(&name(&copy)), 0o400);
    }
    let _sealed = Sealed::folder_of(&copy);
    let saved = scratch.folder.path().join("saved.db");
    assert_eq!(salvage(&copy, &saved).unwrap().rows, 1);
    assert_eq!(values(&read_only(&saved), "t").await, [1]);
}
