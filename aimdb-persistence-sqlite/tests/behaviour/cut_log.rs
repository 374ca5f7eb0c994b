//! A log that is damaged in its middle: recovery ends there, which is noticed, told of, and mended by salvage.

use std::fs;
use std::path::Path;

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence::backend::LostCommits;
use aimdb_persistence_sqlite::{SqliteBackend, salvage};

use crate::support::{Scratch, contents, everything, read_all, scratch, store, values};

const FRAME: usize = 24 + 4_096;
const ROWS: u64 = 60;

/// What a program leaves that was killed after it had stored rows one by one.
async fn killed() -> Scratch {
    let (live, dead) = (scratch(), scratch());
    let backend = SqliteBackend::new(&live.path).unwrap();
    for at in 1..=ROWS {
        store(&backend, "t", at, at).await;
    }
    for (name, bytes) in contents(live.folder.path()) {
        fs::write(dead.folder.path().join(name), bytes).unwrap();
    }
    dead
}

fn flip(path: &Path, byte: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[byte] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn log(scratch: &Scratch) -> std::path::PathBuf {
    scratch.folder.path().join("history.db-wal")
}

/// Damages the frame at this part of the log; gives its number from 0.
fn damage(scratch: &Scratch, of_a_hundred: usize) -> usize {
    let frames = fs::metadata(log(scratch)).unwrap().len() as usize / FRAME;
    let frame = frames * of_a_hundred / 100;
    flip(&log(scratch), 32 + frame * FRAME + 2_000);
    frame
}

fn lost(backend: &SqliteBackend) -> LostCommits {
    let health = backend.health();
    health
        .lost_commits
        .unwrap_or_else(|| panic!("nothing is told of"))
}

#[tokio::test]
async fn commits_behind_damage_in_the_log_are_told_of_kept_and_salvaged() {
    // With the log's index, as a killed program leaves it, and without it, as after a power cut.
    for has_index in [true, false] {
        let scratch = killed().await;
        damage(&scratch, 60);
        if !has_index {
            fs::remove_file(scratch.folder.path().join("history.db-shm")).unwrap();
        }
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        let there = values(&backend, "t").await.len() as u64;
        assert!((10..ROWS).contains(&there), "{there}");
        let lost = lost(&backend);
        assert_eq!((lost.rows, lost.since_ms), (ROWS - there, Some(there + 1)));
        assert!(lost.commits >= lost.rows, "{lost:?}");
        let kept = lost.kept.unwrap();
        assert!(Path::new(&kept).exists(), "{kept}");

        // Recording goes on, and takes no lost row's number.
        for at in 1_000..1_040 {
            store(&backend, "t", at, at).await;
        }
        backend.close().await.unwrap();
        let saved = scratch.folder.path().join("saved.db");
        let report = salvage(&scratch.path, &saved).unwrap();
        assert_eq!(report.rows, ROWS + 40, "{report:?}");
        let backend = SqliteBackend::builder(&saved).read_only().open().unwrap();
        let expected = (1..=ROWS).chain(1_000..1_040).rev();
        assert_eq!(values(&backend, "t").await, Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn a_log_whose_beginning_is_damaged_is_told_of_as_well() {
    let scratch = killed().await;
    // The header: SQLite takes nothing of the log.
    flip(&log(&scratch), 9);
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let lost = lost(&backend);
    assert!(lost.commits > 0 && lost.kept.is_some(), "{lost:?}");
    backend.close().await.unwrap();
    let saved = scratch.folder.path().join("saved.db");
    assert_eq!(salvage(&scratch.path, &saved).unwrap().rows, ROWS);
}

#[tokio::test]
async fn the_last_commit_is_missed_where_the_logs_index_tells_of_it() {
    let scratch = killed().await;
    let frames = fs::metadata(log(&scratch)).unwrap().len() as usize / FRAME;
    flip(&log(&scratch), 32 + (frames - 1) * FRAME + 3_000);
    let reader = SqliteBackend::builder(&scratch.path)
        .read_only()
        .open()
        .unwrap();
    assert!(lost(&reader).kept.is_none(), "a reader keeps nothing");
    reader.close().await.unwrap();
}

#[tokio::test]
async fn a_sound_log_of_a_killed_program_is_no_damage() {
    let scratch = killed().await;
    let before = fs::read_dir(scratch.folder.path()).unwrap().count();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(values(&backend, "t").await.len() as u64, ROWS);
    assert_eq!(backend.health().lost_commits, None);
    let names = fs::read_dir(scratch.folder.path()).unwrap().count();
    assert!(names <= before, "nothing is kept aside");
}

#[tokio::test]
async fn a_sound_log_that_grew_over_an_older_one_is_no_damage() {
    let scratch = killed().await;
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    // It starts over, and older frames lie behind its end.
    for at in 2_000..2_900 {
        store(&backend, "t", at, at).await;
    }
    let dead = crate::support::scratch();
    for (name, bytes) in contents(scratch.folder.path()) {
        fs::write(dead.folder.path().join(name), bytes).unwrap();
    }
    fs::remove_file(dead.folder.path().join("history.db-shm")).unwrap();
    let again = SqliteBackend::new(&dead.path).unwrap();
    assert_eq!(again.health().lost_commits, None);
    let (rows, _) = read_all(&again, everything("#")).await;
    assert_eq!(rows.len() as u64, ROWS + 900);
}
