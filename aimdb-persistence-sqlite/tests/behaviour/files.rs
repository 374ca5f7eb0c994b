//! Whose file it is and who may do what with it.

use std::fs;
use std::path::Path;

use aimdb_persistence::backend::{SeriesDeclaration, SweepReport, SweepRequest};
use aimdb_persistence::{PersistenceBackend, Retention, StorageErrorKind};
use aimdb_persistence_sqlite::SqliteBackend;
use serde_json::json;

use crate::support::{contents, kind, open_error, plain, query, rows, scratch, store, values};

#[test]
fn an_empty_path_is_refused_with_what_to_write() {
    let read_only = SqliteBackend::builder("").read_only().open();
    for error in [open_error(Path::new("")), read_only.unwrap_err()] {
        assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
        assert!(error.to_string().contains("the path is empty"), "{error}");
    }
}

#[test]
fn another_programs_database_is_refused_and_not_touched() {
    for sql in [
        "CREATE TABLE customers (name TEXT); INSERT INTO customers VALUES ('Ada')",
        "PRAGMA journal_mode = WAL; CREATE TABLE row (x); CREATE TABLE series (y)",
        "CREATE TABLE record_history (when_was_it TEXT)",
        "PRAGMA application_id = 7",
    ] {
        let scratch = scratch();
        plain(&scratch.path).execute_batch(sql).unwrap();
        let before = contents(scratch.folder.path());
        let read_only = SqliteBackend::builder(&scratch.path).read_only().open();
        for error in [open_error(&scratch.path), read_only.unwrap_err()] {
            assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
            assert!(error.to_string().contains("choose another path"), "{error}");
        }
        assert!(contents(scratch.folder.path()) == before, "{sql}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_not_touched() {
    let noise: Vec<u8> = (0..10_000_u32).map(|i| (i * 7 + i / 13) as u8).collect();
    for bytes in [b"a letter to my aunt".to_vec(), noise] {
        let scratch = scratch();
        fs::write(&scratch.path, &bytes).unwrap();
        let error = open_error(&scratch.path);
        assert_eq!(kind(&error), StorageErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("history.db"), "{error}");
        assert_eq!(
            contents(scratch.folder.path()),
            [("history.db".to_owned(), bytes)]
        );
    }
}

#[tokio::test]
async fn a_file_that_is_too_new_is_refused_and_may_still_be_read_if_it_says_so() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    backend.close().await.unwrap();
    let raise = |mark: &str| {
        let sql = "UPDATE meta SET value = 1000 WHERE name = ?1";
        assert_eq!(plain(&scratch.path).execute(sql, [mark]).unwrap(), 1);
    };
    let read_only = || SqliteBackend::builder(&scratch.path).read_only().open();

    raise("oldest_writer");
    let before = contents(scratch.folder.path());
    let error = open_error(&scratch.path);
    assert_eq!(kind(&error), StorageErrorKind::TooNew);
    assert!(error.to_string().contains("update the crate"), "{error}");
    assert!(contents(scratch.folder.path()) == before);
    assert_eq!(values(&read_only().unwrap(), "t").await, [1]);

    raise("oldest_reader");
    assert_eq!(kind(&read_only().unwrap_err()), StorageErrorKind::TooNew);
}

#[test]
fn a_folder_or_a_file_in_the_paths_place_is_a_clear_error() {
    let scratch = scratch();
    let error = open_error(scratch.folder.path());
    assert_eq!(kind(&error), StorageErrorKind::CannotOpen);
    assert!(error.to_string().contains("folder"), "{error}");

    fs::write(&scratch.path, "in the way").unwrap();
    let error = open_error(scratch.path.join("below/history.db"));
    assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
    assert_eq!(kind(&open_error("")), StorageErrorKind::CannotOpen);
}

#[tokio::test]
async fn missing_folders_are_created() {
    let scratch = scratch();
    let path = scratch.folder.path().join("a/b c/history.db");
    let backend = SqliteBackend::new(&path).unwrap();
    store(&backend, "t", 1, 1).await;
    assert!(path.is_file());
    assert_eq!(backend.path(), path.canonicalize().unwrap());
}

/// A misspelt path, or a disk that is not mounted, shows.
#[tokio::test]
async fn a_new_history_is_told_of_with_the_folder_that_was_made_for_it() {
    let scratch = scratch();
    let folder = scratch.folder.path().canonicalize().unwrap();
    let path = folder.join("a/b/history.db");
    let backend = SqliteBackend::new(&path).unwrap();
    let begun = backend.health().new_history.expect("there was none");
    assert_eq!(begun.location, path.to_str().unwrap());
    assert_eq!(begun.made_folder.as_deref(), folder.join("a").to_str());
    backend.close().await.unwrap();

    let backend = SqliteBackend::new(&path).unwrap();
    assert_eq!(backend.health().new_history, None, "it was there");
    let beside = SqliteBackend::new(folder.join("a/other.db")).unwrap();
    let begun = beside.health().new_history.unwrap();
    assert_eq!(begun.made_folder, None);
    let in_memory = SqliteBackend::new(":memory:").unwrap();
    assert_eq!(in_memory.health().new_history, None);
}

#[tokio::test]
async fn a_path_is_never_read_as_a_uri() {
    let scratch = scratch();
    let path = scratch
        .folder
        .path()
        .join("file:history.db?mode=memory&x=%20#y");
    let backend = SqliteBackend::new(&path).unwrap();
    store(&backend, "t", 1, 1).await;
    assert!(path.is_file());
    backend.close().await.unwrap();
    let reader = SqliteBackend::builder(&path).read_only().open().unwrap();
    assert_eq!(values(&reader, "t").await, [1]);
}

#[test]
fn a_uri_in_a_paths_place_is_refused_and_nothing_is_made() {
    let name = format!("aimdb-persistence-uri-{}", std::process::id());
    for uri in [
        format!("file:{name}.db?mode=rwc"),
        format!("FILE:///tmp/{name}.db"),
        format!("sqlite://{name}/history.db"),
        format!("sqlite:{name}.db"),
    ] {
        let error = open_error(Path::new(&uri));
        assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
        let text = error.to_string();
        assert!(
            text.contains("this is a URI") && text.contains(&uri),
            "{text}"
        );
        let made = uri.split(['/', '?']).next().unwrap();
        assert!(!Path::new(made).exists(), "{made}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_private_to_their_owner_unless_a_mode_says_otherwise() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let scratch = scratch();
    let shared = scratch.folder.path().join("shared.db");
    let backends = [
        (SqliteBackend::new(&scratch.path).unwrap(), 0o600),
        (
            SqliteBackend::builder(&shared)
                .file_mode(0o666)
                .open()
                .unwrap(),
            0o666,
        ),
    ];
    for (backend, expected) in &backends {
        store(backend, "t", 1, 1).await;
        for suffix in ["", "-wal", "-shm"] {
            let path = format!("{}{suffix}", backend.path().display());
            assert_eq!(mode(Path::new(&path)), *expected, "{path}");
        }
    }
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o640)).unwrap();
    SqliteBackend::new(&shared).unwrap();
    assert_eq!(mode(&shared), 0o640, "an existing file keeps its own");
}

#[tokio::test]
async fn a_read_only_backend_answers_queries_and_refuses_to_write() {
    let scratch = scratch();
    let missing = SqliteBackend::builder(&scratch.path)
        .read_only()
        .open()
        .unwrap_err();
    assert_eq!(kind(&missing), StorageErrorKind::CannotOpen);
    assert!(!scratch.path.exists());

    let writer = SqliteBackend::new(&scratch.path).unwrap();
    store(&writer, "t", 1, 1).await;
    let reader = SqliteBackend::builder(&scratch.path)
        .read_only()
        .open()
        .unwrap();
    store(&writer, "t", 2, 2).await;
    assert_eq!(
        values(&reader, "t").await,
        [2, 1],
        "it follows what others write"
    );

    let refusals = [
        reader.store("t", &json!(3), 3).await.unwrap_err(),
        reader
            .store_batch(rows([("t", 3, "3")]))
            .await
            .stopped_by
            .unwrap(),
        reader.cleanup(5).await.unwrap_err(),
    ];
    for error in refusals {
        assert_eq!(kind(&error), StorageErrorKind::ReadOnly, "{error}");
    }
    reader.flush().await.unwrap();
    reader.close().await.unwrap();
    assert_eq!(values(&writer, "t").await, [2, 1]);
}

#[tokio::test]
async fn a_read_only_backend_leaves_declaring_and_sweeping_to_the_program_that_writes() {
    let scratch = scratch();
    let writer = SqliteBackend::new(&scratch.path).unwrap();
    store(&writer, "t", 1, 1).await;
    let reader = SqliteBackend::builder(&scratch.path)
        .read_only()
        .open()
        .unwrap();
    let declaration = SeriesDeclaration::new("t").with_template("other");
    reader.declare(&[declaration]).await.unwrap();
    let day = Retention::Milliseconds(86_400_000);
    let request = SweepRequest {
        now_ms: u64::MAX,
        default_retention: day,
        longest_retention: day,
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    };
    assert_eq!(reader.sweep(request).await.unwrap(), SweepReport::default());
    assert_eq!(values(&writer, "t").await, [1]);
}

#[tokio::test]
async fn the_view_is_open_to_other_programs() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for (key, value, at) in [("a", 1, 10), ("b", 2, 20), ("a", 3, 20)] {
        store(&backend, key, value, at).await;
    }
    let long = format!("\"{}\"", "x".repeat(5_000));
    let many = || (0..70).map(|at| ("many", at, if at == 7 { long.as_str() } else { "1" }));
    backend.store_batch(rows(many())).await;
    backend
        .store_batch(rows([("long", 1, long.as_str())]))
        .await;
    let other = plain(&scratch.path);
    let mut statement = other
        .prepare("SELECT id, record_name, value_json, stored_at FROM record_history WHERE record_name = 'a' AND stored_at >= 15")
        .unwrap();
    let rows: Vec<(i64, String, String, i64)> = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(rows, [(3, "a".to_owned(), "3".to_owned(), 20)]);
    let check: String = other
        .query_row("PRAGMA integrity_check", [], |r| r.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    assert_eq!(query(&backend, "*").await.len(), 74);
    let sql = "SELECT record_name, stored_at FROM record_history WHERE value_json = ?1 ORDER BY 1";
    let mut statement = other.prepare(sql).unwrap();
    let rows: Vec<(String, u64)> = statement
        .query_map([&long], |r| Ok((r.get(0)?, r.get::<_, i64>(1)? as u64)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(rows, [("long".to_owned(), 1), ("many".to_owned(), 7)]);
    let count = |sql: &str| -> i64 { other.query_row(sql, [], |r| r.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM record_history"), 74);
    assert_eq!(count("SELECT count(*) FROM tail"), 4);
    assert_eq!(count("SELECT count(*) FROM row"), 70);
    assert_eq!(count("SELECT count(*) FROM large"), 2);
}
