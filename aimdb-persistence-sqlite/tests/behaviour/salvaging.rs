//! What is saved of a damaged file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use aimdb_persistence::backend::{Rows, SeriesDeclaration};
use aimdb_persistence::{PersistenceBackend, Retention, StorageErrorKind};
use aimdb_persistence_sqlite::{OnCorruption, SqliteBackend, salvage};

use crate::support::{contents, everything, kind, plain, read_all, scratch, store};

pub(crate) const PAGE: usize = 4_096;
const ROWS: u64 = 20_000;

/// Rows of five series in the clustered table, some in the tail, and long values; closed.
async fn history(path: &Path) {
    let backend = SqliteBackend::new(path).unwrap();
    let declared = SeriesDeclaration::new("t.0")
        .with_template("t.{n}")
        .with_retention(Some(Retention::Milliseconds(5)));
    backend.declare(&[declared]).await.unwrap();
    let mut rows = Rows::new();
    for at in 0..ROWS {
        rows.push_versioned(&format!("t.{}", at % 5), at, &format!("{{\"n\":{at}}}"), 3);
    }
    assert_eq!(
        backend.store_batch(Arc::new(rows)).await.settled as u64,
        ROWS
    );
    for at in 0..10 {
        let long = serde_json::json!("x".repeat(10_000));
        backend.store("long", &long, at).await.unwrap();
        store(&backend, "tail", at, at).await;
    }
    backend.close().await.unwrap();
}

async fn rows_of(path: &Path) -> BTreeSet<(String, u64, String)> {
    let backend = SqliteBackend::builder(path).read_only().open().unwrap();
    let (rows, _) = read_all(&backend, everything("#")).await;
    backend.close().await.unwrap();
    rows.into_iter().collect()
}

fn damage(path: &Path, pages: impl IntoIterator<Item = usize>) {
    let mut bytes = fs::read(path).unwrap();
    for page in pages {
        bytes[page * PAGE..(page + 1) * PAGE].fill(0xA5);
    }
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn of_a_sound_file_everything_is_saved_with_what_is_declared() {
    let scratch = scratch();
    history(&scratch.path).await;
    let saved = scratch.folder.path().join("saved.db");
    let report = salvage(&scratch.path, &saved).unwrap();
    assert_eq!((report.rows, report.series), (ROWS + 20, 7));
    let troubles = [
        report.damaged_pages,
        report.damaged_rows,
        report.rows_without_value,
        report.doubtful_rows,
        report.left_out,
        report.lost_names,
    ];
    assert_eq!(troubles, [0; 6]);
    assert_eq!(rows_of(&saved).await, rows_of(&scratch.path).await);
    let in_file = |path: &Path| -> Vec<(i64, String, Option<String>, Option<i64>)> {
        let file = plain(path);
        let mut series = file
            .prepare("SELECT id, key, template, retention_ms FROM series ORDER BY id")
            .unwrap();
        let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?));
        let rows = series.query_map([], row).unwrap();
        rows.map(Result::unwrap).collect()
    };
    assert_eq!(in_file(&saved), in_file(&scratch.path));

    // Recording goes on in it.
    let backend = SqliteBackend::new(&saved).unwrap();
    store(&backend, "t.0", 7, ROWS).await;
    backend.close().await.unwrap();
    assert_eq!(rows_of(&saved).await.len() as u64, ROWS + 21);
}

#[tokio::test]
async fn what_cannot_be_salvaged_is_a_clear_error_and_leaves_nothing() {
    let scratch = scratch();
    let saved = scratch.folder.path().join("saved.db");
    let error = salvage(&scratch.path, &saved).unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");

    fs::write(&scratch.path, [0xA5; 8 * PAGE]).unwrap();
    let error = salvage(&scratch.path, &saved).unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("history.db"), "{error}");

    fs::remove_file(&scratch.path).unwrap();
    plain(&scratch.path)
        .execute_batch("CREATE TABLE other (x)")
        .unwrap();
    let error = salvage(&scratch.path, &saved).unwrap_err();
    assert!(error.to_string().contains("no history"), "{error}");
    assert_eq!(contents(scratch.folder.path()).len(), 1);

    let error = salvage(&saved, &scratch.path).unwrap_err();
    assert!(error.to_string().contains("another path"), "{error}");
}

#[tokio::test]
async fn rows_that_only_the_log_holds_are_saved_too() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    let crashed = scratch.folder.path().join("crashed.db");
    for part in ["", "-wal"] {
        let name = |path: &Path| format!("{}{part}", path.display());
        fs::copy(name(&scratch.path), name(&crashed)).unwrap();
    }
    let saved = scratch.folder.path().join("saved.db");
    assert_eq!(salvage(&crashed, &saved).unwrap().rows, 1);
    assert_eq!(rows_of(&saved).await.len(), 1);
}

#[tokio::test]
async fn a_row_whose_text_is_damaged_is_left_out_alone() {
    let scratch = scratch();
    history(&scratch.path).await;
    let mut bytes = fs::read(&scratch.path).unwrap();
    let text = b"{\"n\":12345}";
    let at = bytes.windows(text.len()).position(|found| found == text);
    bytes[at.unwrap() + 6] = b'x';
    fs::write(&scratch.path, bytes).unwrap();
    let saved = scratch.folder.path().join("saved.db");
    let report = salvage(&scratch.path, &saved).unwrap();
    assert_eq!((report.rows, report.damaged_rows), (ROWS + 19, 1));
    let rows = rows_of(&saved).await;
    let is_it = |row: &(String, u64, String)| row.0.starts_with("t.") && row.1 == 12_345;
    assert!(!rows.iter().any(is_it));
}

#[tokio::test]
async fn whatever_the_input_and_its_neighbours_are_called_they_stay_as_they_are() {
    let scratch = scratch();
    history(&scratch.path).await;
    let folder = scratch.folder.path();
    let to = folder.join("saved.db");
    let neighbours = [
        "saved.db.damaged",
        "saved.db.working-1",
        "damaged.db",
        "saved.db.partial",
    ];
    for neighbour in &neighbours[1..] {
        fs::write(folder.join(neighbour), "a letter").unwrap();
    }
    for input in neighbours {
        let input = folder.join(input);
        fs::copy(&scratch.path, &input).unwrap();
        let before = contents(folder);
        assert_eq!(salvage(&input, &to).unwrap().rows, ROWS + 20);
        fs::remove_file(&to).unwrap();
        assert!(contents(folder) == before, "{input:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_is_followed_to_save_rows() {
    let scratch = scratch();
    history(&scratch.path).await;
    let folder = scratch.folder.path();
    let precious = folder.join("precious");
    fs::write(&precious, "a letter").unwrap();
    for name in ["saved.db.damaged", "saved.db.working-1"] {
        std::os::unix::fs::symlink(&precious, folder.join(name)).unwrap();
    }
    let to = folder.join("saved.db");
    assert_eq!(salvage(&scratch.path, &to).unwrap().rows, ROWS + 20);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "a letter");
    for name in ["saved.db.damaged", "saved.db.working-1"] {
        assert_eq!(fs::read_link(folder.join(name)).unwrap(), precious);
    }

    let link = folder.join("link.db");
    let missing = folder.join("missing");
    std::os::unix::fs::symlink(&missing, &link).unwrap();
    let error = salvage(&scratch.path, &link).unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_log_that_lies_beside_the_new_files_name_is_not_taken_for_its() {
    let scratch = scratch();
    history(&scratch.path).await;
    let to = scratch.folder.path().join("saved.db");
    fs::write(scratch.folder.path().join("saved.db-wal"), "of another").unwrap();
    let error = salvage(&scratch.path, &to).unwrap_err();
    assert!(error.to_string().contains("saved.db-wal"), "{error}");
    assert!(!to.exists());
}

/// Idle readers of the file let it go, too.
#[tokio::test]
async fn a_file_that_was_set_aside_is_salvaged_while_recording_goes_on() {
    let scratch = scratch();
    history(&scratch.path).await;
    damage(&scratch.path, 40..60);
    let backend = SqliteBackend::builder(&scratch.path)
        .on_corruption(OnCorruption::Quarantine)
        .readers(4)
        .open()
        .unwrap();
    while backend.health().fresh_starts.is_empty() {
        // Damage is met while reading.
        let _ = backend.query("#", Default::default()).await;
        store(&backend, "new", 1, 1).await;
    }
    let aside = backend.health().fresh_starts[0].set_aside.clone().unwrap();
    let saved = scratch.folder.path().join("saved.db");
    let report = salvage(aside, &saved).unwrap();
    assert!(report.rows > ROWS / 2, "{report:?}");
    store(&backend, "new", 2, 2).await;
}
