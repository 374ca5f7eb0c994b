//! Connections that are cut, delayed or hang, and servers that are killed: every row that was answered is there, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence_postgres::PostgresBackend;
use aimdb_persistence_test_server::Server;

use crate::proxy::{Does, Proxy};
use crate::support::{rows, store_at_last, values};

async fn through(proxy: &Proxy) -> PostgresBackend {
    let builder = PostgresBackend::builder(&proxy.url()).source("gateway");
    let builder = builder.statement_timeout(Duration::from_millis(400));
    builder
        .connect_timeout(Duration::from_secs(2))
        .connect()
        .await
        .expect("the server is there")
}

async fn directly(server: &Server) -> PostgresBackend {
    let builder = PostgresBackend::builder(&server.url())
        .source("reader")
        .all_sources();
    builder.connect().await.expect("the server is there")
}

/// Batches of one row to many, so that both ways of storing are taken. Each task has a record of its own.
async fn store_many(backend: &PostgresBackend, tasks: u64, batches: u64) -> Vec<u64> {
    let mut under_way = Vec::new();
    for task in 0..tasks {
        let backend = backend.clone();
        under_way.push(tokio::spawn(async move {
            let mut lottery = fastrand::Rng::with_seed(task);
            let mut next = 0;
            for _ in 0..batches {
                let size = if lottery.u8(..5) == 0 {
                    lottery.u64(500..900)
                } else {
                    lottery.u64(1..40)
                };
                let batch = rows(&format!("r.{task}"), next..next + size);
                let outcome = store_at_last(&backend, &batch).await;
                assert_eq!(outcome.settled as u64, size);
                next += size;
            }
            next
        }));
    }
    let mut counts = Vec::new();
    for task in under_way {
        counts.push(task.await.expect("the task ends"));
    }
    counts
}

async fn expect_each_once(server: &Server, counts: &[u64]) {
    let reader = directly(server).await;
    for (task, count) in counts.iter().enumerate() {
        let found = values(&reader, &format!("r.{task}")).await.unwrap();
        let expected: Vec<_> = (0..*count).collect();
        assert!(
            found == expected,
            "r.{task}: {} rows of {count}",
            found.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_stored_once_over_connections_that_are_cut_again_and_again() {
    let Some(server) = aimdb_persistence_test_server::server() else {
        return;
    };
    let proxy = Proxy::before(server.socket()).await;
    let backend = through(&proxy).await;
    proxy.set(Does::Cut { below: 300_000 });
    let counts = store_many(&backend, 3, 80).await;
    let cuts = proxy.cuts();
    proxy.set(Does::Pass);
    expect_each_once(&server, &counts).await;
    assert!(cuts >= 10, "only {cuts} cuts");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_stored_once_where_the_answer_to_a_commit_never_comes() {
    let Some(server) = aimdb_persistence_test_server::server() else {
        return;
    };
    let proxy = Proxy::before(server.socket()).await;
    let backend = through(&proxy).await;
    store_at_last(&backend, &rows("r.0", 0..10)).await;
    let mut next = 10;
    for size in [1, 20, 700] {
        let batch = rows("r.0", next..next + size);
        proxy.set(Does::SwallowAnswers);
        let storing = tokio::spawn({
            let backend = backend.clone();
            async move { store_at_last(&backend, &batch).await }
        });
        // The server has stored them; nobody has told the program, which connects again.
        let connections = proxy.connections();
        while proxy.connections() == connections {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!storing.is_finished(), "not answered before it is known");
        proxy.set(Does::Pass);
        assert_eq!(storing.await.unwrap().settled as u64, size);
        next += size;
    }
    expect_each_once(&server, &[next]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_hangs_without_closing_is_given_up() {
    let Some(server) = aimdb_persistence_test_server::server() else {
        return;
    };
    let proxy = Proxy::before(server.socket()).await;
    let backend = through(&proxy).await;
    store_at_last(&backend, &rows("r.0", 0..10)).await;
    proxy.set(Does::Hang);
    let storing = tokio::spawn({
        let backend = backend.clone();
        async move { store_at_last(&backend, &rows("r.0", 10..30)).await }
    });
    let query = values(&backend, "r.0")
        .await
        .expect_err("nothing comes through");
    assert_eq!(
        query.storage_kind(),
        Some(aimdb_persistence::backend::StorageErrorKind::Busy),
        "{query}"
    );
    proxy.set(Does::Pass);
    assert_eq!(storing.await.unwrap().settled, 20);
    assert_eq!(values(&backend, "r.0").await.unwrap().len(), 30);
    expect_each_once(&server, &[30]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_connection_stores_every_row_once() {
    let Some(server) = aimdb_persistence_test_server::server() else {
        return;
    };
    let proxy = Proxy::before(server.socket()).await;
    let backend = through(&proxy).await;
    proxy.set(Does::Delay(Duration::from_millis(15)));
    let counts = store_many(&backend, 2, 8).await;
    expect_each_once(&server, &counts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_that_was_answered_outlives_a_server_that_is_killed() {
    let Some(mut server) = aimdb_persistence_test_server::server() else {
        return;
    };
    let builder = PostgresBackend::builder(&server.url()).source("gateway");
    let backend = builder.connect().await.expect("the server is there");
    let is_over = Arc::new(AtomicBool::new(false));
    let mut under_way = Vec::new();
    for task in 0..3_u64 {
        let (backend, is_over) = (backend.clone(), Arc::clone(&is_over));
        under_way.push(tokio::spawn(async move {
            let mut next = 0;
            while !is_over.load(Ordering::Relaxed) {
                let size = if next % 7 == 0 { 600 } else { 1 + next % 30 };
                let batch = rows(&format!("r.{task}"), next..next + size);
                store_at_last(&backend, &batch).await;
                next += size;
            }
            next
        }));
    }
    for pause_ms in [300, 40, 120] {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        server = tokio::task::spawn_blocking(move || {
            server.kill();
            server.run();
            server
        })
        .await
        .unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    is_over.store(true, Ordering::Relaxed);
    let mut counts = Vec::new();
    for task in under_way {
        counts.push(task.await.unwrap());
    }
    assert!(counts.iter().all(|count| *count > 0));
    expect_each_once(&server, &counts).await;
    assert_eq!(backend.flush().await.ok(), Some(()));
}
