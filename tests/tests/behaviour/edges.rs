//! The recorder at its edges: outages, ends that coincide, and records that are none of a query's business.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, PersistenceError, QueryParams,
    RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::backends::{Call, Interposed};
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use aimdb_persistence_tests::waiting::eventually;
use serde::{Deserialize, Serialize, Serializer};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

/// A value that takes its time to be serialised, so that ends can overtake it.
#[derive(Clone, Debug, Deserialize, Persist)]
#[persist(key = "slow")]
struct Slow(u64);

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        std::thread::yield_now();
        serializer.serialize_u64(self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_a_backend_describes_in_its_own_words_loses_nothing() {
    let start = tokio::time::Instant::now();
    let backend = Arc::new(Interposed::new(move |call| async move {
        match call {
            Call::Store(_) if start.elapsed() < Duration::from_secs(600) => {
                Err(PersistenceError::Backend("connection refused".into()))
            }
            _ => Ok(()),
        }
    }));
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..1_000 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        if at % 100 == 0 {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    }
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!(
        (total.produced, total.stored, total.failed),
        (1_000, 1_000, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_dropped_while_values_wait_stores_them_all() {
    for round in 0..50 {
        let backend = Arc::new(MemoryBackend::new());
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        Slow::register(&mut builder);
        let db = aimdb::build(builder).await;
        for value in 0..200 {
            aimdb::produce(&db, "slow", Slow(value)).await;
        }
        drop(db);
        eventually("the backend is let go", || Arc::strong_count(&backend) == 1).await;
        assert_eq!(backend.len(), 200, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flush_beside_a_close_that_does_not_wait_leaves_nothing_pending_if_it_succeeds() {
    for round in 0..50 {
        let mut builder =
            aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
        Slow::register(&mut builder);
        let db = Arc::new(aimdb::build(builder).await);
        for value in 0..100 {
            aimdb::produce(&db, "slow", Slow(value)).await;
        }
        let closing = tokio::spawn({
            let db = Arc::clone(&db);
            async move { db.close_persistence(Duration::ZERO).await.unwrap() }
        });
        let flushed = db.flush_persistence().await;
        let total = db.persistence_stats().unwrap().total;
        closing.await.unwrap();
        assert!(
            flushed.is_err() || total.pending == 0,
            "round {round}: {total:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_complete_close_leaves_nothing_pending_though_values_keep_coming() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    Slow::register(&mut builder);
    let db = Arc::new(aimdb::build(builder).await);
    let producing = tokio::spawn({
        let db = Arc::clone(&db);
        async move {
            for value in 0..50_000 {
                aimdb::produce(&db, "slow", Slow(value)).await;
                tokio::task::yield_now().await;
            }
        }
    });
    eventually("values come", || {
        db.persistence_stats().unwrap().total.produced > 100
    })
    .await;
    let report = db.close_persistence(Duration::from_secs(30)).await.unwrap();
    assert!(report.complete, "{:?}", report.error);
    producing.await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.pending), (50_000, 0), "{total:?}");
}

#[tokio::test]
async fn values_of_a_plain_record_after_a_close_are_counted_as_dropped() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    builder.configure::<Reading>("plain", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 64 })
            .persist("plain");
    });
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "plain", Reading(0)).await;
    db.close_persistence(Duration::from_secs(30)).await.unwrap();
    for value in 1..=10 {
        aimdb::produce(&db, "plain", Reading(value)).await;
    }
    let dropped = || db.persistence_stats().unwrap().total.dropped;
    eventually("the values are counted", || dropped() == 10).await;
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.stored), (11, 1));
}

#[tokio::test]
async fn a_record_that_cannot_be_recorded_fails_no_query_of_others() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    Temperature::series("sf").register(&mut builder);
    builder.configure::<Reading>("note", |reg| {
        reg.buffer(BufferCfg::SingleLatest)
            .persist("temperature..note");
    });
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    db.flush_persistence().await.unwrap();
    assert_eq!(Temperature::query_latest(&db, 1).await.unwrap().len(), 1);
    assert_eq!(
        db.query_raw("*", QueryParams::default())
            .await
            .unwrap()
            .len(),
        1
    );
    let own = db
        .query_raw("temperature..note", QueryParams::default())
        .await;
    assert!(
        matches!(own, Err(PersistenceError::NotRecorded { .. })),
        "{own:?}"
    );
}
