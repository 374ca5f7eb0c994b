//! A flush returns when everything produced before it is durable, and waits for nothing else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, PersistenceError,
    PersistenceOptions, QueryParams, RecordRegistrarPersistExt, options::BacklogLimits,
};
use aimdb_persistence_tests::backends::{Call, Interposed, on_every_backend};
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use aimdb_persistence_tests::waiting::eventually;
use serde::{Deserialize, Serialize, Serializer};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_flush_of_a_database_without_records_or_values_returns() {
    on_every_backend(async |backend| {
        let db = aimdb::build(aimdb::builder().with_persistence(backend.clone(), FOREVER)).await;
        db.flush_persistence().await.unwrap();
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        db.flush_persistence().await.unwrap();
        db.flush_persistence().await.unwrap();
        assert_eq!(db.persistence_stats().unwrap().total.produced, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_its_flush_each_of_fifty_tasks_finds_its_own_value_stored() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        Temperature::series("sf").register(&mut builder);
        builder.configure::<Reading>("plain", |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 1_024 })
                .persist("plain");
        });
        let db = Arc::new(aimdb::build(builder).await);
        let tasks: Vec<_> = (1..=50)
            .map(|task| {
                let (db, backend) = (Arc::clone(&db), Arc::clone(&backend));
                tokio::spawn(async move {
                    aimdb::produce(&db, "temperature.sf", Temperature::at(task)).await;
                    aimdb::produce(&db, "plain", Reading(task)).await;
                    db.flush_persistence().await.unwrap();
                    let rows = backend.query("#", QueryParams::default()).await.unwrap();
                    assert!(rows.iter().any(|row| row.value["at"] == task));
                    assert!(rows.iter().any(|row| row.value == task));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let total = db.persistence_stats().unwrap().total;
        assert_eq!((total.produced, total.stored), (100, 100));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_returns_while_values_keep_coming() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    Temperature::series("sf").register(&mut builder);
    let db = Arc::new(aimdb::build(builder).await);
    let stop = Arc::new(AtomicBool::new(false));
    let producer = tokio::spawn({
        let (db, stop) = (Arc::clone(&db), Arc::clone(&stop));
        async move {
            while !stop.load(Ordering::Relaxed) {
                aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
                tokio::task::yield_now().await;
            }
        }
    });
    for _ in 0..20 {
        db.flush_persistence().await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    producer.await.unwrap();
}

/// A value that is followed by another whenever it is recorded, so that there is always one more.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "echo")]
struct Echo {
    #[serde(serialize_with = "produce_another", skip_deserializing)]
    into: Weak<EchoingDb>,
}

struct EchoingDb(aimdb::Db);

impl std::fmt::Debug for EchoingDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EchoingDb")
    }
}

fn produce_another<S: Serializer>(
    into: &Weak<EchoingDb>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if let Some(db) = into.upgrade() {
        aimdb::produce_at_once(&db.0, "echo", Echo { into: into.clone() });
    }
    serializer.serialize_unit()
}

#[tokio::test]
async fn flush_and_close_wait_for_nothing_that_comes_after_them() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    Echo::register(&mut builder);
    let db = Arc::new(EchoingDb(aimdb::build(builder).await));
    let into = Arc::downgrade(&db);
    aimdb::produce(&db.0, "echo", Echo { into }).await;
    for _ in 0..3 {
        db.0.flush_persistence().await.unwrap();
    }
    let report = db.0.close_persistence(LONG).await.unwrap();
    assert!(report.complete, "{:?}", report.error);
    eventually("recording has ended", || {
        let total = db.0.persistence_stats().unwrap().total;
        total.dropped > 0 && total.pending == 0
    })
    .await;
}

#[tokio::test]
async fn a_flush_asks_the_backend_to_flush_after_the_last_row() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let backend = Arc::new(Interposed::new({
        let calls = Arc::clone(&calls);
        move |call| {
            calls.lock().unwrap().push(call);
            async { Ok(()) }
        }
    }));
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..100 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
    }
    db.flush_persistence().await.unwrap();
    let calls = calls.lock().unwrap();
    let stored = calls.iter().filter(|call| matches!(call, Call::Store(_)));
    assert_eq!(stored.count(), 100);
    assert_eq!(calls.last(), Some(&Call::Flush));
    assert_eq!(calls.first(), Some(&Call::Initialize));
}

#[tokio::test]
async fn a_deadline_may_be_as_long_as_durations_go() {
    let backend = Arc::new(Interposed::new(|_| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }));
    let options = PersistenceOptions::new(backend.clone(), FOREVER)
        .flush_deadline(Duration::MAX)
        .linger(Duration::MAX)
        .backlog(BacklogLimits {
            rows: usize::MAX,
            bytes: usize::MAX,
        });
    let mut builder = aimdb::builder().with_persistence_options(options);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..10 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
    }
    db.flush_persistence().await.unwrap();
    aimdb::produce(&db, "temperature.sf", Temperature::at(10)).await;
    assert!(db.close_persistence(Duration::MAX).await.unwrap().complete);
    assert_eq!(backend.rows().len(), 11);
}

#[tokio::test]
async fn a_backend_that_cannot_make_rows_durable_fails_the_flush() {
    let backend = Arc::new(Interposed::new(|call| async move {
        match call {
            Call::Flush => Err(PersistenceError::Backend("no sync".to_owned())),
            _ => Ok(()),
        }
    }));
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    let error = db.flush_persistence().await.unwrap_err();
    assert!(matches!(&error, PersistenceError::Backend(text) if text == "no sync"));
    let report = db.close_persistence(LONG).await.unwrap();
    assert!(!report.complete && report.error.unwrap().contains("no sync"));
}
