//! A damaged file: refused and left as it is, or set aside, and never made worse.

use std::fs;
use std::path::{Path, PathBuf};

use aimdb_persistence::backend::{SeriesDeclaration, SweepRequest};
use aimdb_persistence::{PersistenceBackend, Retention, StorageErrorKind};
use aimdb_persistence_sqlite::{OnCorruption, SqliteBackend};
use serde_json::json;

use crate::support::{
    Scratch, contents, everything, kind, open_error, plain, query, read_all, rows, scratch, store,
    values,
};

const PAGE: usize = 4_096;

/// Overwrites part of the file with what no page looks like.
fn damage(path: &Path, range: impl std::ops::RangeBounds<usize>) {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let mut bytes = fs::read(path).unwrap();
    let start = match range.start_bound() {
        Included(&start) => start,
        _ => 0,
    };
    let end = match range.end_bound() {
        Excluded(&end) => end,
        Included(&end) => end + 1,
        Unbounded => bytes.len(),
    };
    bytes[start..end].fill(0xAA);
    fs::write(path, bytes).unwrap();
}

/// A few rows of `sound`, ten thousand behind them of `t`, and the file closed.
async fn closed_history() -> Scratch {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let few = rows((0..10).map(|at| ("sound", at, "1")));
    assert_eq!(backend.store_batch(few).await.settled, 10);
    let many = rows((0..10_000).map(|at| ("t", at, "1")));
    assert_eq!(backend.store_batch(many).await.settled, 10_000);
    backend.close().await.unwrap();
    scratch
}

/// A history whose pages of rows are damaged and whose tables can be found.
async fn history_with_damaged_rows() -> Scratch {
    let scratch = closed_history().await;
    damage(&scratch.path, 16 * PAGE..);
    scratch
}

/// What a process that was killed leaves: the file, its log and the log's index.
async fn history_with_a_log() -> Scratch {
    let (live, dead) = (scratch(), scratch());
    let backend = SqliteBackend::new(&live.path).unwrap();
    let many = rows((0..1_000).map(|at| ("t", at, "1")));
    assert_eq!(backend.store_batch(many).await.settled, 1_000);
    for (name, bytes) in contents(live.folder.path()) {
        fs::write(dead.folder.path().join(name), bytes).unwrap();
    }
    dead
}

fn quarantining(path: &Path) -> SqliteBackend {
    SqliteBackend::builder(path)
        .on_corruption(OnCorruption::Quarantine)
        .open()
        .unwrap()
}

/// Where the only fresh start of a backend says that the old file lies.
fn aside(backend: &SqliteBackend) -> PathBuf {
    let health = backend.health();
    let [start] = &health.fresh_starts[..] else {
        panic!("one fresh start: {health:?}")
    };
    assert!(start.reason.contains("history.db"), "{}", start.reason);
    PathBuf::from(start.set_aside.as_ref().expect("it was set aside"))
}

/// The files whose bytes tell: neither an empty log nor a log's index, which are all that looking at a file leaves.
fn history_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut contents = contents(folder);
    let holds_rows = |name: &str| !name.ends_with("-shm") && !name.ends_with("-reserve");
    contents.retain(|(name, bytes)| holds_rows(name) && !bytes.is_empty());
    contents
}

#[tokio::test]
async fn a_file_whose_beginning_is_damaged_is_refused_with_its_path_and_not_touched() {
    for range in [0..16, 0..PAGE, 100..200, 0..8 * PAGE] {
        for scratch in [closed_history().await, history_with_a_log().await] {
            // In the log there is a sound copy of the first page.
            if fs::metadata(scratch.folder.path().join("history.db-wal")).is_ok() {
                let log = scratch.folder.path().join("history.db-wal");
                damage(&log, 32..);
                fs::write(&scratch.path, [0xAA; 8 * PAGE]).unwrap();
            } else {
                damage(&scratch.path, range.clone());
            }
            let before = history_in(scratch.folder.path());
            let read_only = SqliteBackend::builder(&scratch.path).read_only().open();
            for error in [open_error(&scratch.path), read_only.unwrap_err()] {
                assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
                assert!(error.to_string().contains("history.db"), "{error}");
            }
            assert!(history_in(scratch.folder.path()) == before);
        }
    }
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_with_its_log_and_recording_starts_afresh() {
    let scratch = history_with_a_log().await;
    fs::write(&scratch.path, [0xAA; 4 * PAGE]).unwrap();
    damage(&scratch.folder.path().join("history.db-wal"), 32..);
    let before = history_in(scratch.folder.path());

    let backend = quarantining(&scratch.path);
    let aside = aside(&backend);
    store(&backend, "t", 1, 1).await;
    assert_eq!(values(&backend, "t").await, [1]);
    backend.close().await.unwrap();

    let name = aside.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("history.db.corrupt-2"), "{name}");
    for (suffix, (_, bytes)) in ["", "-wal"].iter().zip(&before) {
        let moved = fs::read(format!("{}{suffix}", aside.display())).unwrap();
        assert!(moved == *bytes, "{name}{suffix} was changed");
    }
    let again = quarantining(&scratch.path);
    assert_eq!(again.health(), Default::default(), "a sound file stays");
    assert_eq!(values(&again, "t").await, [1]);
}

#[tokio::test]
async fn a_file_of_another_program_is_not_set_aside() {
    let scratch = scratch();
    plain(&scratch.path)
        .execute_batch("CREATE TABLE customers (name TEXT)")
        .unwrap();
    let opened = SqliteBackend::builder(&scratch.path)
        .on_corruption(OnCorruption::Quarantine)
        .open();
    assert_eq!(kind(&opened.unwrap_err()), StorageErrorKind::CannotOpen);
    assert_eq!(contents(scratch.folder.path()).len(), 1);
}

#[tokio::test]
async fn a_damaged_file_is_reported_with_its_path() {
    let scratch = history_with_damaged_rows().await;
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let error = backend.query("t", Default::default()).await.unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("history.db"), "{error}");
    assert_eq!(values(&backend, "sound").await, [1; 10]);
    store(&backend, "t", 1, 10_000).await;
}

#[tokio::test]
async fn a_check_finds_damage_that_opening_does_not_meet() {
    let scratch = history_with_damaged_rows().await;
    let before = contents(scratch.folder.path());
    let checked = || SqliteBackend::builder(&scratch.path).check_on_open();
    let error = checked().open().unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    assert!(contents(scratch.folder.path()) == before);

    let builder = checked().on_corruption(OnCorruption::Quarantine);
    let backend = builder.clone().open().unwrap();
    assert!(aside(&backend).exists());
    store(&backend, "t", 1, 1).await;
    backend.close().await.unwrap();
    let sound = builder.open().unwrap();
    assert_eq!(values(&sound, "t").await, [1]);
}

#[tokio::test]
async fn once_a_write_has_met_damage_nothing_more_is_written() {
    let scratch = history_with_damaged_rows().await;
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let dense = || rows((10_000..10_100).map(|at| ("t", at, "2")));
    let outcome = backend.store_batch(dense()).await;
    assert_eq!((outcome.settled, outcome.refused.len()), (0, 0));
    assert_eq!(
        kind(&outcome.stopped_by.unwrap()),
        StorageErrorKind::Corrupt
    );

    let before = history_in(scratch.folder.path());
    let day = Retention::Milliseconds(1);
    let sweep = SweepRequest {
        now_ms: 20_000,
        default_retention: day,
        longest_retention: day,
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    };
    let declaration = SeriesDeclaration::new("new").with_template("new");
    for error in [
        backend.store("sound", &json!(2), 2).await.unwrap_err(),
        backend.store_batch(dense()).await.stopped_by.unwrap(),
        backend.declare(&[declaration]).await.unwrap_err(),
        backend.sweep(sweep).await.unwrap_err(),
        backend.cleanup(5).await.unwrap_err(),
    ] {
        assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    }
    assert_eq!(values(&backend, "sound").await, [1; 10], "queries go on");
    let error = backend.flush().await.unwrap_err();
    assert_eq!(
        kind(&error),
        StorageErrorKind::Corrupt,
        "rows have failed: {error}"
    );
    backend.flush().await.unwrap();
    backend.close().await.unwrap();
    assert!(history_in(scratch.folder.path()) == before);
}

#[tokio::test]
async fn damage_that_a_write_meets_sets_the_file_aside_and_what_was_being_stored_is_stored() {
    let scratch = history_with_damaged_rows().await;
    let backend = quarantining(&scratch.path);
    let declaration = SeriesDeclaration::new("t").with_template("t");
    backend.declare(&[declaration]).await.unwrap();
    let dense = rows((10_000..10_100).map(|at| ("t", at, "2")));
    let outcome = backend.store_batch(dense).await;
    assert_eq!(outcome.settled, 100, "{:?}", outcome.stopped_by);

    let aside = aside(&backend);
    assert_eq!(query(&backend, "*").await.len(), 100);
    let (typed, _) = read_all(&backend, everything("#").with_template(Some("t"))).await;
    assert_eq!(
        typed.len(),
        100,
        "what was declared is known to the new file"
    );
    let old = SqliteBackend::builder(aside).read_only().open().unwrap();
    assert_eq!(values(&old, "sound").await, [1; 10]);
}

#[tokio::test]
async fn damage_that_a_query_meets_sets_the_file_aside() {
    let scratch = history_with_damaged_rows().await;
    let backend = quarantining(&scratch.path);
    let error = backend.query("t", Default::default()).await.unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    // The writer hears of it at once, and whatever is stored next finds the new file.
    while backend.health().fresh_starts.is_empty() {
        tokio::task::yield_now().await;
    }
    store(&backend, "t", 1, 1).await;
    assert_eq!(values(&backend, "t").await, [1]);
    assert!(aside(&backend).exists());
    assert_eq!(backend.health().fresh_starts.len(), 1);
}

#[tokio::test]
async fn a_sweep_that_meets_damage_ends_and_the_next_one_finds_the_new_file() {
    let scratch = history_with_damaged_rows().await;
    let backend = quarantining(&scratch.path);
    let error = backend.cleanup(9_000).await.unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    assert_eq!(backend.cleanup(9_000).await.unwrap(), 0);
    assert!(aside(&backend).exists());
}
