//! The room that is kept for a full disk touches nobody's file.

use std::fs;
use std::path::{Path, PathBuf};

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence_sqlite::SqliteBackend;

use crate::support::{contents, scratch, store, values};

fn named(history: &Path, n: &str) -> PathBuf {
    PathBuf::from(format!("{}-reserve{n}", history.display()))
}

async fn record(path: &Path) {
    let backend = SqliteBackend::new(path).unwrap();
    store(&backend, "t", 1, 1).await;
    assert_eq!(backend.cleanup(2).await.unwrap(), 1);
    assert!(values(&backend, "t").await.is_empty());
    backend.close().await.unwrap();
}

#[tokio::test]
async fn somebodys_files_of_the_reserves_names_stay_as_they_are() {
    let scratch = scratch();
    for n in ["", "-1"] {
        fs::write(named(&scratch.path, n), "a letter").unwrap();
    }
    record(&scratch.path).await;
    for n in ["", "-1"] {
        let letter = fs::read_to_string(named(&scratch.path, n));
        assert_eq!(letter.unwrap(), "a letter");
    }
    assert_eq!(contents(scratch.folder.path()).len(), 3);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_or_a_pipe_of_the_reserves_name_is_neither_followed_nor_waited_for() {
    let scratch = scratch();
    let precious = scratch.folder.path().join("precious");
    fs::write(&precious, "a letter").unwrap();
    let missing = scratch.folder.path().join("missing");
    let reserve = named(&scratch.path, "");
    for target in [&precious, &missing] {
        std::os::unix::fs::symlink(target, &reserve).unwrap();
        record(&scratch.path).await;
        assert_eq!(fs::read_link(&reserve).unwrap(), *target);
        fs::remove_file(&reserve).unwrap();
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "a letter");
    assert!(!missing.exists());

    let made = std::process::Command::new("mkfifo").arg(&reserve).status();
    assert!(made.unwrap().success());
    record(&scratch.path).await;
    assert!(reserve.symlink_metadata().is_ok());
}

/// Two backends of one history keep room each: closing one takes nothing from the other. A name would be shared.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn each_backend_keeps_room_of_its_own_that_ends_with_it() {
    // Descriptors of this process that are files without a name, as long as the reserve here.
    const BYTES: u64 = 3_333_333;
    let reserves = || {
        let descriptors = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let found = descriptors.filter_map(|fd| fs::metadata(fd.path()).ok());
        found.filter(|file| file.len() == BYTES).count()
    };
    let scratch = scratch();
    let open = || {
        let builder = SqliteBackend::builder(&scratch.path);
        builder.reserve_bytes(BYTES).open().unwrap()
    };
    let (one, other) = (open(), open());
    for backend in [&one, &other] {
        store(backend, "t", 1, 1).await; // its writer is at work
    }
    assert_eq!(reserves(), 2);
    one.close().await.unwrap();
    assert_eq!(reserves(), 1);
    let names = contents(scratch.folder.path());
    assert!(!names.iter().any(|(name, _)| name.contains("reserve")));
    other.close().await.unwrap();
    assert_eq!(reserves(), 0);
}
