//! A file whose schema or marks another program has changed: no row vanishes, and nothing is waited for without end.

use aimdb_persistence::{PersistenceBackend, StorageErrorKind};
use aimdb_persistence_sqlite::SqliteBackend;
use serde_json::json;

use crate::support::{kind, open_error, plain, query, scratch, store, values};

/// Rows go through the tail into the clustered table, so that every table is written.
async fn history_with_merged_rows(path: &std::path::Path) -> SqliteBackend {
    let backend = SqliteBackend::builder(path).tail_rows(16).open().unwrap();
    for at in 0..100 {
        store(&backend, "t", at, at).await;
    }
    backend
}

#[tokio::test]
async fn a_trigger_of_somebody_elses_keeps_no_row_from_being_stored_and_is_refused_when_the_file_is_opened()
 {
    for table in ["tail", "row", "series", "state", "meta", "large"] {
        let scratch = scratch();
        let backend = history_with_merged_rows(&scratch.path).await;
        let trigger = |when| {
            format!(
                "CREATE TRIGGER hostile_{when} BEFORE {when} ON {table} BEGIN SELECT RAISE(IGNORE); END;"
            )
        };
        let triggers = ["INSERT", "UPDATE", "DELETE"].map(trigger).concat();
        plain(&scratch.path).execute_batch(&triggers).unwrap();
        for at in 100..200 {
            store(&backend, "t", at, at).await;
        }
        store(&backend, "new", 1, 1).await;
        assert_eq!(values(&backend, "t").await.len(), 200, "{table}");
        assert_eq!(values(&backend, "new").await, [1], "{table}");
        backend.close().await.unwrap();
        let error = open_error(&scratch.path);
        assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
        assert!(error.to_string().contains("hostile_"), "{error}");
    }
}

const ENDLESS: &str =
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";

#[tokio::test]
async fn a_view_in_place_of_a_table_is_refused_and_never_waited_for() {
    for table in ["tail", "row", "series", "state", "meta", "large"] {
        let scratch = scratch();
        history_with_merged_rows(&scratch.path)
            .await
            .close()
            .await
            .unwrap();
        let view =
            format!("ALTER TABLE {table} RENAME TO was_{table}; CREATE VIEW {table} AS {ENDLESS}");
        plain(&scratch.path)
            .execute_batch(&format!("DROP VIEW record_history; {view}"))
            .unwrap();
        let read_only = SqliteBackend::builder(&scratch.path).read_only().open();
        for error in [open_error(&scratch.path), read_only.unwrap_err()] {
            assert_eq!(kind(&error), StorageErrorKind::CannotOpen, "{error}");
            assert!(error.to_string().contains(table), "{error}");
        }
    }
}

#[tokio::test]
async fn other_views_of_the_owner_are_left_alone() {
    let scratch = scratch();
    history_with_merged_rows(&scratch.path)
        .await
        .close()
        .await
        .unwrap();
    let views = format!(
        "CREATE VIEW mine AS SELECT count(*) FROM row; CREATE VIEW endless AS {ENDLESS}; \
         DROP VIEW record_history; CREATE VIEW record_history (id, record_name, value_json, stored_at) AS \
         SELECT x, x, x, x FROM endless"
    );
    plain(&scratch.path).execute_batch(&views).unwrap();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1_000).await;
    assert_eq!(values(&backend, "#").await.len(), 101);
    backend.close().await.unwrap();
}

#[tokio::test]
async fn rows_stored_after_the_sequence_was_set_back_are_there() {
    for next in [1, 50, -7] {
        let scratch = scratch();
        history_with_merged_rows(&scratch.path)
            .await
            .close()
            .await
            .unwrap();
        let sql = "UPDATE meta SET value = ?1 WHERE name = 'next_sequence'";
        plain(&scratch.path).execute(sql, [next]).unwrap();
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        for at in 100..150 {
            store(&backend, "t", at, at).await;
        }
        let long = "x".repeat(5_000);
        backend.store("long", &json!(long), 1).await.unwrap();
        let newest_first: Vec<u64> = (0..150).rev().collect();
        assert_eq!(values(&backend, "t").await, newest_first, "{next}");
        assert_eq!(query(&backend, "long").await[0].value, json!(long));
        backend.close().await.unwrap();
    }
}

/// SQLite's `.restore` goes through SQLite: connections stay open, and the file is another one all at once.
#[tokio::test]
async fn what_is_restored_into_the_live_file_is_what_queries_return_at_once() {
    for stores_first in [false, true] {
        let scratch = scratch();
        let monday = scratch.folder.path().join("monday.db");
        let backend = SqliteBackend::builder(&scratch.path)
            .readers(1)
            .open()
            .unwrap();
        for at in 0..100 {
            store(&backend, "a", at, at).await;
        }
        backend.backup_to(&monday).await.unwrap();
        for at in 0..100 {
            store(&backend, "b", 1_000 + at, at).await;
            store(&backend, "c", 2_000 + at, at).await;
        }
        assert_eq!(query(&backend, "#").await.len(), 300);

        let progress = None::<fn(rusqlite::backup::Progress)>;
        plain(&scratch.path)
            .restore("main", &monday, progress)
            .unwrap();
        if stores_first {
            // As many as there were, so that no number tells.
            for at in 0..300 {
                store(&backend, "new", 3_000 + at, at).await;
            }
            assert_eq!(values(&backend, "new").await.len(), 300);
        }
        assert_eq!(values(&backend, "a").await.len(), 100);
        assert_eq!(values(&backend, "b").await, [] as [u64; 0]);
        assert_eq!(values(&backend, "c").await, [] as [u64; 0]);
        store(&backend, "other", 7, 7).await;
        assert_eq!(values(&backend, "other").await, [7]);
        let all = query(&backend, "#").await;
        assert_eq!(all.len(), if stores_first { 401 } else { 101 });
        backend.close().await.unwrap();
    }
}
