//! A history that is reached through links, or by more than one name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aimdb_persistence::{PersistenceBackend, StorageErrorKind};
use aimdb_persistence_sqlite::{Durability, OnCorruption, SqliteBackend, salvage};

use crate::processes::{path_given, run_elsewhere};
use crate::support::{Scratch, contents, kind, open_error, scratch, store, values};

/// A link at the scratch's path, and the file in another folder that it leads to.
fn link() -> (Scratch, PathBuf) {
    let scratch = scratch();
    let folder = scratch.folder.path().canonicalize().unwrap().join("data");
    fs::create_dir(&folder).unwrap();
    symlink("data/real.db", &scratch.path).unwrap();
    (scratch, folder.join("real.db"))
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().unwrap().is_symlink()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_link_that_leads_nowhere_makes_the_history_where_it_leads() {
    let (scratch, real) = link();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    assert_eq!(backend.path(), real);
    assert_eq!(names(scratch.folder.path()), ["data", "history.db"]);
    backend.close().await.unwrap();
    assert!(is_link(&scratch.path));
    assert_eq!(names(real.parent().unwrap()), ["real.db"]);
    for path in [&scratch.path, &real] {
        let backend = SqliteBackend::new(path).unwrap();
        assert_eq!(values(&backend, "t").await, [1]);
        backend.close().await.unwrap();
    }
}

#[tokio::test]
async fn grouped_durability_syncs_a_history_behind_a_link() {
    let (scratch, _) = link();
    let every = Duration::from_secs(3_600);
    let backend = SqliteBackend::builder(&scratch.path)
        .durability(Durability::Grouped { every })
        .open()
        .unwrap();
    store(&backend, "t", 1, 1).await;
    backend.flush().await.unwrap();
}

/// Of names that belong to nobody's history nothing is read, written or removed.
#[tokio::test]
async fn what_lies_beside_a_link_is_not_taken_for_the_historys() {
    let (scratch, real) = link();
    let beside = |part: &str| scratch.folder.path().join(format!("history.db{part}"));
    for part in ["-wal", "-shm", "-journal"] {
        fs::write(beside(part), "of somebody else").unwrap();
    }
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    fs::rename(&real, scratch.folder.path().join("moved.db")).unwrap();
    store(&backend, "t", 2, 2).await;
    assert_eq!(values(&backend, "t").await, [2]);
    assert_eq!(
        kind(&backend.flush().await.unwrap_err()),
        StorageErrorKind::Io,
        "it was moved"
    );
    backend.close().await.unwrap();
    for part in ["-wal", "-shm", "-journal"] {
        assert_eq!(
            fs::read_to_string(beside(part)).unwrap(),
            "of somebody else"
        );
    }
    assert!(is_link(&scratch.path));
}

#[tokio::test]
async fn a_damaged_history_behind_a_link_is_set_aside_and_the_link_stays() {
    let (scratch, real) = link();
    fs::write(&real, [0xA5; 8_192]).unwrap();
    let backend = SqliteBackend::builder(&scratch.path)
        .on_corruption(OnCorruption::Quarantine)
        .open()
        .unwrap();
    store(&backend, "t", 1, 1).await;
    let aside = backend.health().fresh_starts[0].set_aside.clone().unwrap();
    assert!(aside.starts_with(real.to_str().unwrap()), "{aside}");
    assert!(is_link(&scratch.path) && real.is_file());
    assert_eq!(fs::read(aside).unwrap(), [0xA5; 8_192]);
}

/// Of the name under which a note lies while a file is set aside.
#[tokio::test]
async fn somebodys_file_or_link_of_the_notes_name_is_neither_read_nor_written_nor_removed() {
    for is_link in [false, true] {
        let scratch = scratch();
        let note = scratch.folder.path().join("history.db-quarantine");
        let precious = scratch.folder.path().join("precious");
        fs::write(&precious, "a letter").unwrap();
        match is_link {
            true => symlink(&precious, &note).unwrap(),
            false => fs::copy(&precious, &note).map(drop).unwrap(),
        }
        fs::write(&scratch.path, [0xA5; 8_192]).unwrap();
        for fresh_starts in [1, 0] {
            let backend = SqliteBackend::builder(&scratch.path)
                .on_corruption(OnCorruption::Quarantine)
                .open()
                .unwrap();
            store(&backend, "t", 1, 1).await;
            assert_eq!(backend.health().fresh_starts.len(), fresh_starts);
            backend.close().await.unwrap();
        }
        assert_eq!(fs::read_to_string(&precious).unwrap(), "a letter");
        assert_eq!(fs::read_to_string(&note).unwrap(), "a letter");
        assert_eq!(note.symlink_metadata().unwrap().is_symlink(), is_link);
    }
}

#[tokio::test]
async fn salvage_through_a_link_saves_what_only_the_log_holds() {
    let (scratch, real) = link();
    let original = scratch.folder.path().join("original.db");
    let backend = SqliteBackend::new(&original).unwrap();
    store(&backend, "t", 1, 1).await;
    for part in ["", "-wal"] {
        let name = |path: &Path| format!("{}{part}", path.display());
        fs::copy(name(&original), name(&real)).unwrap();
    }
    let saved = scratch.folder.path().join("saved.db");
    assert_eq!(salvage(&scratch.path, saved).unwrap().rows, 1);
}

#[test]
fn links_in_a_circle_are_a_clear_error() {
    let scratch = scratch();
    symlink("history.db", &scratch.path).unwrap();
    let error = open_error(&scratch.path);
    assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
    assert!(error.to_string().contains("circle"), "{error}");
}

#[tokio::test]
async fn a_file_with_two_names_is_refused_until_one_is_removed() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    backend.close().await.unwrap();
    let second = scratch.folder.path().join("second.db");
    fs::hard_link(&scratch.path, &second).unwrap();
    let before = contents(scratch.folder.path());
    for path in [&scratch.path, &second] {
        let read_only = SqliteBackend::builder(path).read_only().open();
        for error in [open_error(path), read_only.unwrap_err()] {
            assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
            assert!(error.to_string().contains("2 names"), "{error}");
        }
    }
    assert!(contents(scratch.folder.path()) == before);
    fs::remove_file(&second).unwrap();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(values(&backend, "t").await, [1]);
}

/// As a container that is given one file. Where the system lets nobody mount anything, there is nothing to try.
#[test]
fn a_file_that_is_mounted_alone_is_refused_and_one_in_a_mounted_folder_is_not() {
    const TEST: &str =
        "links::a_file_that_is_mounted_alone_is_refused_and_one_in_a_mounted_folder_is_not";
    if let Some(mounted) = path_given() {
        let error = open_error(&mounted);
        assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
        assert!(error.to_string().contains("mount the folder"), "{error}");
        let read_only = SqliteBackend::builder(&mounted).read_only().open();
        assert_eq!(kind(&read_only.unwrap_err()), StorageErrorKind::CannotOpen);
        SqliteBackend::new(mounted.with_file_name("folder/history.db")).unwrap();
        return;
    }
    let may_mount = Command::new("unshare").args(["-rm", "true"]).status();
    if !may_mount.is_ok_and(|status| status.success()) {
        eprintln!("this system lets nobody mount anything");
        return;
    }
    let scratch = scratch();
    let folder = scratch.folder.path().canonicalize().unwrap();
    let outside = folder.join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    drop(SqliteBackend::new(outside.join("history.db")).unwrap());
    fs::write(folder.join("history.db"), "").unwrap();
    let script =
        "mount --bind outside/history.db history.db && mount --bind outside folder && exec \"$@\"";
    let status = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", TEST])
        .env("AIMDB_TEST_HISTORY", folder.join("history.db"))
        .current_dir(&folder)
        .status();
    assert!(status.unwrap().success());
}

/// Opening a pipe waits for its other end.
#[test]
fn a_pipe_in_the_files_place_is_refused_at_once() {
    let scratch = scratch();
    let made = Command::new("mkfifo").arg(&scratch.path).status();
    assert!(made.unwrap().success());
    let read_only = SqliteBackend::builder(&scratch.path).read_only().open();
    let to = scratch.folder.path().join("saved.db");
    let salvaged = salvage(&scratch.path, to).unwrap_err();
    for error in [open_error(&scratch.path), read_only.unwrap_err(), salvaged] {
        assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
        assert!(error.to_string().contains("file"), "{error}");
    }
    assert_eq!(names(scratch.folder.path()), ["history.db"]);
}

/// Closing a descriptor of a file takes away all locks of the program on it.
#[tokio::test]
async fn salvaging_an_open_history_is_refused_and_takes_no_lock_away() {
    const TEST: &str = "links::salvaging_an_open_history_is_refused_and_takes_no_lock_away";
    if let Some(path) = path_given() {
        // Succeeds where no lock says that the history is in use, and removes the log.
        let other = rusqlite::Connection::open(path).unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        let ended = other.pragma_update(None, "journal_mode", "DELETE");
        assert!(ended.is_err(), "the log could be removed");
        return;
    }
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let to = scratch.folder.path().join("saved.db");
    let by_another_name = scratch.folder.path().join("link.db");
    symlink(&scratch.path, &by_another_name).unwrap();
    for damaged in [&scratch.path, &by_another_name] {
        let error = salvage(damaged, &to).unwrap_err();
        assert_eq!(kind(&error), StorageErrorKind::Busy, "{error}");
        assert!(error.to_string().contains("backup_to"), "{error}");
    }
    run_elsewhere(TEST, &scratch.path);
    store(&backend, "t", 2, 2).await;
    assert_eq!(values(&backend, "t").await, [2, 1]);
    // A backend that is dropped closes its file a little later.
    drop(backend);
    assert_eq!(salvage(&scratch.path, &to).unwrap().rows, 2);
}

#[test]
fn a_file_that_something_else_in_this_program_has_open_is_not_read_past_it() {
    let scratch = scratch();
    drop(SqliteBackend::new(&scratch.path).unwrap());
    let to = scratch.folder.path().join("saved.db");
    let other = loop {
        // The backend closes its file a little later.
        let other = rusqlite::Connection::open(&scratch.path).unwrap();
        if other.pragma_update(None, "journal_mode", "DELETE").is_ok() {
            break other;
        }
    };
    if cfg!(target_os = "linux") {
        let error = salvage(&scratch.path, &to).unwrap_err();
        assert_eq!(kind(&error), StorageErrorKind::Busy, "{error}");
    }
    drop(other);
    assert_eq!(salvage(&scratch.path, &to).unwrap().rows, 0);
}
