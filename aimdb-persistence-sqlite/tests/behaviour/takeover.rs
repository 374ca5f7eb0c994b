//! A file that the published crate wrote is taken over: nothing lost, and still readable by others.

use aimdb_persistence::{PersistenceBackend, StorageErrorKind};
use aimdb_persistence_sqlite::SqliteBackend;
use rusqlite::Connection;

use crate::support::{
    contents, everything, kind, open_error, plain, query, read_all, scratch, store, values,
};

/// The published schema.
const UPSTREAM: &str = "
CREATE TABLE record_history (id INTEGER PRIMARY KEY AUTOINCREMENT, record_name TEXT NOT NULL,
    value_json TEXT NOT NULL, stored_at INTEGER NOT NULL);
CREATE INDEX idx_record_time ON record_history (record_name, stored_at DESC);
";

fn upstream_file(path: &std::path::Path, rows: &[(&str, &str, i64)]) {
    let old = plain(path);
    old.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    old.execute_batch(UPSTREAM).unwrap();
    let insert =
        "INSERT INTO record_history (record_name, value_json, stored_at) VALUES (?1, ?2, ?3)";
    for row in rows {
        old.execute(insert, *row).unwrap();
    }
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |r| r.get(0)).unwrap()
}

#[tokio::test]
async fn every_row_is_taken_over_in_order_and_the_next_start_finds_them() {
    let scratch = scratch();
    let stored = [
        ("accuracy::vienna", "1", 10),
        ("accuracy::berlin", "2", 10),
        ("accuracy::vienna", "3", 10),
        ("accuracy::vienna", "4", 5),
    ];
    upstream_file(&scratch.path, &stored);
    let long = format!("\"{}\"", "é".repeat(3_000));
    plain(&scratch.path)
        .execute(
            "INSERT INTO record_history (record_name, value_json, stored_at) VALUES ('long', ?1, 1)",
            [&long],
        )
        .unwrap();
    for _ in 0..2 {
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        assert_eq!(values(&backend, "accuracy::*").await, [2, 3, 1, 4]);
        backend.close().await.unwrap();
    }
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "accuracy::vienna", 5, 10).await;
    assert_eq!(values(&backend, "accuracy::vienna").await, [5, 3, 1, 4]);

    let file = plain(&scratch.path);
    assert_eq!(number(&file, "SELECT count(*) FROM record_history"), 6);
    assert_eq!(number(&file, "SELECT count(*) FROM large"), 1);
    let (read, _) = read_all(&backend, everything("long")).await;
    assert_eq!(read[0].2, long);
    assert_eq!(
        number(
            &file,
            "SELECT id FROM record_history WHERE value_json = '2'"
        ),
        2
    );
    assert_eq!(
        number(
            &file,
            "SELECT count(*) FROM sqlite_schema WHERE name = 'idx_record_time'"
        ),
        0
    );
    assert_eq!(
        number(&file, "PRAGMA auto_vacuum"),
        2,
        "expired rows can free disk space"
    );
}

#[tokio::test]
async fn odd_keys_damaged_values_and_odd_times_are_kept() {
    let scratch = scratch();
    let odd = [
        ("", "1", 1),
        ("a..b", "2", 1),
        ("weird*key.", "3", 1),
        ("damaged", "{", 1),
        ("late", "5", -1), // how the published crate stored a time beyond i64::MAX
    ];
    upstream_file(&scratch.path, &odd);
    let blob = "INSERT INTO record_history (record_name, value_json, stored_at) VALUES ('blob', x'ff', 1.5)";
    plain(&scratch.path).execute_batch(blob).unwrap();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(values(&backend, "").await, [1]);
    assert_eq!(values(&backend, "a..b").await, [2]);
    assert_eq!(values(&backend, "weird*key.").await, [3]);
    assert_eq!(query(&backend, "late").await[0].stored_at, 0);
    let (raw, _) = read_all(&backend, everything("#")).await;
    assert_eq!(raw.len(), 6, "a damaged value is still there as text");
    assert!(raw.contains(&("damaged".to_owned(), 1, "{".to_owned())));
}

#[tokio::test]
async fn an_empty_file_of_the_published_crate_is_taken_over_too() {
    let scratch = scratch();
    upstream_file(&scratch.path, &[]);
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    assert_eq!(values(&backend, "*").await, [1]);
}

#[tokio::test]
async fn a_takeover_that_fails_leaves_the_file_as_it_was() {
    let scratch = scratch();
    upstream_file(&scratch.path, &[("t", "1", 1)]);
    plain(&scratch.path)
        .execute_batch("CREATE TABLE series (of_mine TEXT)")
        .unwrap();
    assert!(
        open_error(&scratch.path)
            .to_string()
            .contains("taking over")
    );
    let file = plain(&scratch.path);
    assert_eq!(
        number(
            &file,
            "SELECT count(*) FROM record_history WHERE value_json = '1'"
        ),
        1
    );
    assert_eq!(number(&file, "PRAGMA application_id"), 0);
    file.execute_batch("DROP TABLE series").unwrap();
    drop(file);
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(values(&backend, "t").await, [1]);
}

#[tokio::test]
async fn a_table_whose_values_may_be_missing_is_refused_untouched() {
    let scratch = scratch();
    let old = plain(&scratch.path);
    old.execute_batch(&UPSTREAM.replace("value_json TEXT NOT NULL", "value_json TEXT"))
        .unwrap();
    old.execute_batch(
        "INSERT INTO record_history (record_name, value_json, stored_at)
         VALUES ('t', '1', 1), ('t', NULL, 2)",
    )
    .unwrap();
    drop(old);
    let error = open_error(&scratch.path).to_string();
    assert!(error.contains("nothing was changed"), "{error}");
    let file = plain(&scratch.path);
    assert_eq!(number(&file, "SELECT count(*) FROM record_history"), 2);
    assert_eq!(number(&file, "PRAGMA application_id"), 0);
}

/// What is not the published crate's is nobody's to throw away.
#[test]
fn a_file_with_something_that_taking_over_would_lose_is_refused_untouched() {
    for (addition, named) in [
        (
            "ALTER TABLE record_history ADD COLUMN unit TEXT",
            "column `unit`",
        ),
        (
            "ALTER TABLE record_history ADD COLUMN half AS (stored_at / 2) VIRTUAL",
            "column `half`",
        ),
        (
            "CREATE TABLE seen (x); CREATE TRIGGER note AFTER INSERT ON Record_History BEGIN INSERT INTO seen VALUES (1); END",
            "trigger `note`",
        ),
        (
            "CREATE TABLE remark (of INTEGER REFERENCES record_history (id) ON DELETE CASCADE, text TEXT); \
             INSERT INTO remark VALUES (1, 'odd')",
            "table `remark`",
        ),
    ] {
        let scratch = scratch();
        upstream_file(&scratch.path, &[("t", "1", 1), ("t", "2", 2)]);
        plain(&scratch.path).execute_batch(addition).unwrap();
        let before = contents(scratch.folder.path());
        let error = open_error(&scratch.path);
        assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
        assert!(error.to_string().contains(named), "{error}");
        assert!(contents(scratch.folder.path()) == before, "{addition}");
    }
}

#[tokio::test]
async fn what_else_a_file_holds_stays_when_its_rows_are_taken_over() {
    let scratch = scratch();
    upstream_file(&scratch.path, &[("t", "1", 1)]);
    plain(&scratch.path)
        .execute_batch(
            "CREATE TABLE mine (x); INSERT INTO mine VALUES (7); \
             CREATE VIEW newest AS SELECT max(stored_at) AS at FROM record_history; \
             CREATE INDEX of_mine ON record_history (value_json)",
        )
        .unwrap();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(values(&backend, "t").await, [1]);
    let file = plain(&scratch.path);
    assert_eq!(number(&file, "SELECT x FROM mine"), 7);
    assert_eq!(number(&file, "SELECT at FROM newest"), 1);
}

#[tokio::test]
async fn the_rewrite_that_a_crash_prevented_is_made_up_for_at_the_next_start() {
    let scratch = scratch();
    upstream_file(&scratch.path, &[("t", "1", 1)]);
    SqliteBackend::new(&scratch.path)
        .unwrap()
        .close()
        .await
        .unwrap();
    plain(&scratch.path)
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM")
        .unwrap();
    assert_eq!(number(&plain(&scratch.path), "PRAGMA auto_vacuum"), 0);
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(number(&plain(&scratch.path), "PRAGMA auto_vacuum"), 2);
    assert_eq!(values(&backend, "t").await, [1]);
}

#[tokio::test]
async fn a_read_only_backend_does_not_take_over_and_says_what_to_do() {
    let scratch = scratch();
    upstream_file(&scratch.path, &[("t", "1", 1)]);
    let before = contents(scratch.folder.path());
    let error = SqliteBackend::builder(&scratch.path)
        .read_only()
        .open()
        .unwrap_err();
    assert_eq!(kind(&error), StorageErrorKind::ReadOnly);
    assert!(
        error.to_string().contains("without `.read_only()`"),
        "{error}"
    );
    assert!(contents(scratch.folder.path()) == before);
}

#[tokio::test]
async fn rows_taken_over_are_swept_like_any_others() {
    let scratch = scratch();
    upstream_file(
        &scratch.path,
        &[("t", "1", 1), ("t", "2", 50), ("late", "3", -7)],
    );
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    assert_eq!(backend.cleanup(50).await.unwrap(), 2);
    assert_eq!(values(&backend, "*").await, [2]);
}

#[tokio::test]
async fn the_way_back_to_the_published_crate_takes_every_row_along() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for (key, value, at) in [("b", 1, 20), ("a", 2, 10), ("b", 3, 5), ("a", 4, 10)] {
        store(&backend, key, value, at).await;
    }
    let long = serde_json::json!("é".repeat(3_000));
    backend.store("long", &long, 1).await.unwrap();
    let before = read_all(&backend, everything("#")).await.0;
    backend.close().await.unwrap();

    let page = include_str!("../../../docs/upstream.md");
    let (_, sql) = page.split_once("```sql\n").unwrap();
    let (sql, _) = sql.split_once("```").unwrap();
    let old = scratch.folder.path().join("old.db");
    upstream_file(&old, &[]);
    let sql = sql.replace("old.db", old.to_str().unwrap());
    plain(&scratch.path).execute_batch(&sql).unwrap();

    let again = SqliteBackend::new(&old).unwrap();
    assert_eq!(read_all(&again, everything("#")).await.0, before);
}
