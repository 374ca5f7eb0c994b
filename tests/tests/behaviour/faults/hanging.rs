//! Backends that never answer: nothing waits for ever.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, PersistenceError, PersistenceOptions,
    declare::BufferKind,
};
use aimdb_persistence_tests::backends::{Call, Interposed};
use aimdb_persistence_tests::records::Temperature;
use aimdb_persistence_tests::waiting::eventually;

use super::{database, produce, until_taken};
use crate::aimdb;

fn hanging_in(calls: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Arc<Interposed> {
    Arc::new(Interposed::new(move |call| {
        let hangs = calls(&call);
        async move {
            if hangs {
                pending::<()>().await;
            }
            Ok(())
        }
    }))
}

#[tokio::test]
async fn with_a_hanging_backend_flush_and_close_end_at_their_deadlines_with_what_is_pending() {
    let backend = hanging_in(|call| matches!(call, Call::Store(_)));
    let db = database(&backend, BufferKind::Ring(64), |options| {
        options.flush_deadline(Duration::from_millis(50))
    })
    .await;
    produce(&db, 0..10).await;
    until_taken().await;
    match db.flush_persistence().await {
        Err(PersistenceError::Timeout {
            pending,
            deadline_ms,
            ..
        }) => assert_eq!((pending, deadline_ms), (10, 50)),
        other => panic!("{other:?}"),
    }
    let report = db
        .close_persistence(Duration::from_millis(50))
        .await
        .unwrap();
    assert!(!report.complete);
    assert!(report.error.unwrap().contains("pending: 10"));
    assert_eq!(report.stats.total.pending, 10);
    let again = db
        .close_persistence(Duration::from_millis(50))
        .await
        .unwrap();
    assert!(!again.complete);
    eventually("what the backend never took is counted as failed", || {
        let total = db.persistence_stats().unwrap().total;
        (total.failed, total.pending) == (10, 0)
    })
    .await;
}

#[tokio::test]
async fn a_backend_that_hangs_anywhere_is_let_go_after_its_database() {
    let hanging: [fn(&Call) -> bool; 5] = [
        |call| matches!(call, Call::Initialize),
        |call| matches!(call, Call::Store(_)),
        |call| matches!(call, Call::Cleanup),
        |call| matches!(call, Call::Flush),
        |_| true,
    ];
    let mut backends = Vec::new();
    for hangs in hanging {
        let backend = hanging_in(hangs);
        let options = PersistenceOptions::new(backend.clone(), Duration::from_secs(3_600));
        let mut builder = aimdb::builder().with_persistence_options(options);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        produce(&db, 0..10).await;
        tokio::task::yield_now().await;
        drop(db);
        backends.push(backend);
    }
    for (index, backend) in backends.iter().enumerate() {
        eventually(&format!("backend {index} is let go"), || {
            Arc::strong_count(backend) == 1
        })
        .await;
    }
}
