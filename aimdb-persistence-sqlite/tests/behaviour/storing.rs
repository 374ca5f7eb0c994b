//! What is stored is there: in order, after a restart, from many tasks and from two backends at once.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{kind, plain, query, rows, scratch, store, values};
use aimdb_persistence::{PersistenceBackend, PersistenceError, QueryParams};
use aimdb_persistence_sqlite::{Durability, SqliteBackend};
use serde_json::json;

#[tokio::test]
async fn a_file_that_is_opened_again_holds_everything() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    backend
        .store("t.sf", &json!({ "celsius": 13.2, "é": null }), 5)
        .await
        .unwrap();
    store(&backend, "t.sea", 7, 6).await;
    backend.close().await.unwrap();

    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let rows = query(&backend, "t.*").await;
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0].record_name.as_str(), rows[0].stored_at),
        ("t.sea", 6)
    );
    assert_eq!(
        (rows[1].record_name.as_str(), rows[1].stored_at),
        ("t.sf", 5)
    );
    assert_eq!(rows[1].value, json!({ "celsius": 13.2, "é": null }));
    // Sequence numbers go on where they ended: a tie with an old row is still told apart.
    store(&backend, "t.sea", 8, 6).await;
    assert_eq!(values(&backend, "t.sea").await, [8, 7]);
}

#[tokio::test]
async fn rows_come_by_record_name_then_newest_first() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    for (key, value, at) in [
        ("b", 1, 10),
        ("a", 2, 5),
        ("b", 3, 30),
        ("a", 4, 1),
        ("b", 5, 20),
    ] {
        store(&backend, key, value, at).await;
    }
    assert_eq!(values(&backend, "*").await, [2, 4, 3, 5, 1]);
}

#[tokio::test]
async fn of_rows_with_one_time_the_one_stored_last_comes_first() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let batch = rows([("t", 9, "1"), ("t", 9, "2"), ("t", 9, "3")]);
    backend.store_batch(batch).await;
    store(&backend, "t", 4, 9).await;
    store(&backend, "t", 5, 8).await; // a clock that jumped back
    assert_eq!(values(&backend, "t").await, [4, 3, 2, 1, 5]);
}

#[tokio::test]
async fn ties_across_two_backends_keep_the_order_of_arrival() {
    let scratch = scratch();
    let one = SqliteBackend::new(&scratch.path).unwrap();
    let other = SqliteBackend::new(&scratch.path).unwrap();
    for value in 0..20 {
        let backend = if value % 3 == 0 { &one } else { &other };
        store(backend, "t", value, 9).await;
    }
    let expected: Vec<u64> = (0..20).rev().collect();
    assert_eq!(values(&one, "t").await, expected);
}

#[tokio::test]
async fn times_reach_from_zero_to_the_largest_that_sqlite_holds() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let largest = i64::MAX.cast_unsigned();
    store(&backend, "t", 1, 0).await;
    store(&backend, "t", 2, largest).await;
    let refused = backend
        .store("t", &json!(3), largest + 1)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, PersistenceError::Unstorable { record_name, .. } if record_name == "t")
    );
    assert_eq!(values(&backend, "t").await, [2, 1]);

    let within = |start_time, end_time| QueryParams {
        start_time,
        end_time,
        ..QueryParams::default()
    };
    let count = async |start, end| backend.query("t", within(start, end)).await.unwrap().len();
    assert_eq!(count(Some(0), Some(u64::MAX)).await, 2);
    assert_eq!(count(Some(largest), None).await, 1);
    assert_eq!(count(Some(largest + 1), None).await, 0);
    assert_eq!(count(None, Some(0)).await, 1);
    assert_eq!(count(Some(1), Some(0)).await, 0);
}

#[tokio::test]
async fn a_row_that_can_never_be_stored_is_refused_alone() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let batch = rows([
        ("t", 1, "1"),
        ("a..b", 2, "2"),
        ("t", u64::MAX, "3"),
        ("t", 4, "{"),
        ("t", 5, "5"),
    ]);
    let outcome = backend.store_batch(batch).await;
    assert_eq!(outcome.settled, 5);
    assert!(outcome.stopped_by.is_none());
    let refused: Vec<usize> = outcome.refused.iter().map(|(index, _)| *index).collect();
    assert_eq!(refused, [1, 2, 3]);
    assert!(matches!(
        outcome.refused[0].1,
        PersistenceError::InvalidKey(_)
    ));
    assert!(matches!(
        outcome.refused[1].1,
        PersistenceError::Unstorable { .. }
    ));
    assert!(matches!(
        outcome.refused[2].1,
        PersistenceError::Serialization(_)
    ));
    assert_eq!(values(&backend, "*").await, [5, 1]);
}

#[tokio::test]
async fn an_empty_batch_is_settled() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let outcome = backend.store_batch(rows([])).await;
    assert!(outcome.settled == 0 && outcome.stopped_by.is_none() && outcome.refused.is_empty());
    assert!(query(&backend, "*").await.is_empty());
    assert!(query(&backend, "t").await.is_empty());
}

#[tokio::test]
async fn an_answered_store_is_visible_to_another_connection() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let reader = plain(&scratch.path);
    for value in 0..50 {
        store(&backend, "t", value, value).await;
        let count: i64 = reader
            .query_row("SELECT count(*) FROM record_history", [], |r| r.get(0))
            .unwrap();
        assert_eq!(count, value.cast_signed() + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_store_at_once_and_every_row_lands() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store_from_many_tasks(std::slice::from_ref(&backend), 32, 8).await;
    assert_eq!(query(&backend, "*").await.len(), 32 * 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_backends_write_into_one_file_and_both_complete() {
    let scratch = scratch();
    let one = SqliteBackend::new(&scratch.path).unwrap();
    let other = SqliteBackend::new(&scratch.path).unwrap();
    store_from_many_tasks(&[one.clone(), other.clone()], 32, 8).await;
    assert_eq!(query(&one, "*").await.len(), 32 * 8);
    assert_eq!(query(&one, "*").await, query(&other, "*").await);
    let distinct: i64 = plain(&scratch.path)
        .query_row("SELECT count(DISTINCT id) FROM record_history", [], |r| {
            r.get(0)
        })
        .unwrap();
    assert_eq!(distinct, 32 * 8, "a sequence number belongs to one row");
}

/// Half of the tasks share series with others.
async fn store_from_many_tasks(backends: &[SqliteBackend], tasks: u64, each: u64) {
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            let backend = backends[task as usize % backends.len()].clone();
            tokio::spawn(async move {
                for value in 0..each {
                    store(
                        &backend,
                        &format!("t.{}", task / 2),
                        task * 1_000 + value,
                        value,
                    )
                    .await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_backends_may_create_the_same_file_at_once() {
    let scratch = scratch();
    let openers: Vec<_> = (0..4)
        .map(|_| {
            let path = scratch.path.clone();
            std::thread::spawn(move || SqliteBackend::new(path).unwrap())
        })
        .collect();
    let backends: Vec<_> = openers
        .into_iter()
        .map(|opener| opener.join().unwrap())
        .collect();
    for (value, backend) in (0..).zip(&backends) {
        store(backend, "t", value, value).await;
    }
    assert_eq!(values(&backends[0], "t").await, [3, 2, 1, 0]);
}

#[tokio::test]
async fn a_locked_file_is_reported_busy_and_nothing_of_the_batch_is_stored() {
    let scratch = scratch();
    let backend = SqliteBackend::builder(&scratch.path)
        .busy_timeout(Duration::from_millis(20))
        .open()
        .unwrap();
    let blocker = plain(&scratch.path);
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let batch = rows([("t", 1, "1"), ("t", 2, "2")]);
    let outcome = backend.store_batch(Arc::clone(&batch)).await;
    assert_eq!(outcome.settled, 0);
    let error = outcome.stopped_by.unwrap();
    assert_eq!(kind(&error), aimdb_persistence::StorageErrorKind::Busy);
    assert!(error.to_string().contains("history.db"), "{error}");
    assert!(std::error::Error::source(&error).is_some());

    let refused = backend.store("a..b", &json!(1), 1).await.unwrap_err();
    assert!(
        matches!(refused, PersistenceError::InvalidKey(_)),
        "judged without the lock"
    );

    blocker.execute_batch("ROLLBACK").unwrap();
    assert_eq!(backend.store_batch(batch).await.settled, 2);
    assert_eq!(values(&backend, "t").await, [2, 1]);
}

#[tokio::test]
async fn a_failed_transaction_leaves_nothing_behind_not_even_in_the_caches() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    store(&backend, "t", 1, 1).await;
    plain(&scratch.path)
        .execute_batch("CREATE UNIQUE INDEX fails ON tail (value)")
        .unwrap();
    let batch = rows([("new.series", 1, "7"), ("t", 2, "1")]);
    let outcome = backend.store_batch(batch).await;
    assert_eq!(outcome.settled, 0);
    assert!(outcome.stopped_by.is_some());
    // The series that the transaction had created is gone with it: its id must not be used again
    // from memory.
    store(&backend, "new.series", 8, 2).await;
    assert_eq!(values(&backend, "*").await, [8, 1]);
}

#[tokio::test]
async fn every_durability_stores_flushes_and_closes() {
    let every = Duration::from_millis(1);
    for durability in [
        Durability::Full,
        Durability::Grouped { every },
        Durability::Relaxed,
    ] {
        let scratch = scratch();
        let backend = SqliteBackend::builder(&scratch.path)
            .durability(durability)
            .open()
            .unwrap();
        for value in 0..20 {
            store(&backend, "t", value, value).await;
        }
        backend.flush().await.unwrap();
        backend.close().await.unwrap();
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        assert_eq!(values(&backend, "t").await.len(), 20);
    }
}

#[tokio::test]
async fn quotes_emoji_and_long_keys_are_keys_like_any_other() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let long = "k".repeat(64 << 10);
    let keys = ["it's", "\"; DROP TABLE row; --", "t.🌡", "%_", &long];
    for (value, key) in (0..).zip(keys) {
        store(&backend, key, value, 1).await;
    }
    for (value, key) in (0..).zip(keys) {
        assert_eq!(values(&backend, key).await, [value]);
    }
    let refused = backend.store("nul\0", &json!(1), 1).await.unwrap_err();
    assert!(matches!(refused, PersistenceError::InvalidKey(_)));
}

#[tokio::test]
async fn a_value_too_deep_to_be_read_back_is_refused() {
    let scratch = scratch();
    let backend = SqliteBackend::new(&scratch.path).unwrap();
    let deep = |depth| (0..depth).fold(json!(0), |inner, _| json!([inner]));
    assert!(backend.store("t", &deep(300), 1).await.is_err());
    backend.store("t", &deep(100), 1).await.unwrap();
    assert_eq!(query(&backend, "t").await[0].value, deep(100));
}
