//! What is dropped is gone: the recorder's tasks, the backend, its file.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, PersistenceBackend, PersistenceOptions,
    RecordRegistrarPersistExt, declare::BufferKind,
};
use aimdb_persistence_tests::backends::{Call, Gate, Interposed, sqlite};
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use aimdb_persistence_tests::waiting::eventually;

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

const DAY: Duration = Duration::from_secs(86_400);

/// Every kind of record there is.
fn with_records(mut builder: aimdb::Builder) -> aimdb::Builder {
    Temperature::series("ring").register(&mut builder);
    Temperature::series("latest")
        .with_buffer(BufferKind::Latest)
        .register(&mut builder);
    for (key, buffer) in [
        ("plain.ring", BufferCfg::SpmcRing { capacity: 16 }),
        ("plain.latest", BufferCfg::SingleLatest),
        ("plain.mailbox", BufferCfg::Mailbox),
    ] {
        builder.configure::<Reading>(key, move |reg| {
            reg.buffer(buffer).persist(key);
        });
    }
    if aimdb::BUILDS_TAPS_WITHOUT_BUFFER {
        builder.configure::<Reading>("plain.bufferless", |reg| {
            reg.persist("plain.bufferless");
        });
    }
    builder
}

async fn is_let_go(what: &str, backend: &Arc<MemoryBackend>) {
    eventually(what, || Arc::strong_count(backend) == 1).await;
}

#[tokio::test]
async fn a_backend_is_let_go_after_its_database() {
    let backend = Arc::new(MemoryBackend::new());
    let builder = aimdb::builder().with_persistence(backend.clone(), DAY);
    drop(aimdb::build(builder).await);
    is_let_go("a database without records", &backend).await;

    let builder = with_records(aimdb::builder().with_persistence(backend.clone(), DAY));
    drop(aimdb::build(builder).await);
    is_let_go("a database dropped before its tasks have run", &backend).await;

    let builder = with_records(aimdb::builder().with_persistence(backend.clone(), DAY));
    let db = aimdb::build(builder).await;
    db.flush_persistence().await.unwrap();
    drop(db);
    is_let_go("a database without values", &backend).await;

    let builder = with_records(aimdb::builder().with_persistence(backend.clone(), DAY));
    let db = aimdb::build(builder).await;
    aimdb::pass_through(&db, "temperature.ring", Temperature::at(1)).await;
    aimdb::pass_through(&db, "plain.ring", Reading(1)).await;
    aimdb::produce(&db, "plain.mailbox", Reading(1)).await;
    db.query_latest::<Reading>("plain.ring", 1).await.unwrap();
    db.flush_persistence().await.unwrap();
    drop(db);
    is_let_go(
        "a database whose producers and consumers were used",
        &backend,
    )
    .await;

    let mut builder = with_records(aimdb::builder().with_persistence(backend.clone(), DAY));
    aimdb::add_source(&mut builder, "plain.ring", vec![Reading(1); 10]);
    drop(aimdb::build(builder).await);
    is_let_go("a database with a source", &backend).await;

    let builder = with_records(aimdb::builder().with_persistence(backend.clone(), DAY));
    let db = aimdb::build(builder).await;
    db.close_persistence(DAY).await.unwrap();
    drop(db);
    is_let_go("a database that was closed", &backend).await;

    let builder = with_records(aimdb::builder().with_persistence(backend.clone(), DAY));
    drop(builder);
    is_let_go("a builder that never built", &backend).await;
}

#[tokio::test]
async fn the_tasks_of_a_dropped_database_end() {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let backend = Arc::new(MemoryBackend::new());
    for _ in 0..10 {
        let db = aimdb::build(with_records(
            aimdb::builder().with_persistence(backend.clone(), DAY),
        ))
        .await;
        aimdb::produce(&db, "plain.mailbox", Reading(1)).await;
        db.flush_persistence().await.unwrap();
    }
    eventually("as many tasks as before", || tasks() == before).await;
}

#[tokio::test]
async fn two_databases_may_share_a_backend() {
    let backend = Arc::new(MemoryBackend::new());
    let mut databases = Vec::new();
    for station in ["sf", "oak"] {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        Temperature::series(station).register(&mut builder);
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, &format!("temperature.{station}"), Temperature::at(1)).await;
        databases.push(db);
    }
    let second = databases.pop().unwrap();
    databases[0].flush_persistence().await.unwrap();
    drop(databases);
    second.flush_persistence().await.unwrap();
    assert_eq!(backend.len(), 2);
}

/// File descriptors of this process that lead to a file in `folder`.
fn open_files(folder: &Path) -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("the process may look at itself")
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| target.starts_with(folder))
        .count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_file_is_closed_after_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Arc::new(sqlite(folder.path()));
    let builder = with_records(aimdb::builder().with_persistence(backend, DAY));
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.ring", Temperature::at(1)).await;
    aimdb::produce(&db, "plain.ring", Reading(1)).await;
    db.flush_persistence().await.unwrap();
    assert!(open_files(folder.path()) > 0);
    drop(db);
    eventually("no descriptor leads into the folder", || {
        open_files(folder.path()) == 0
    })
    .await;
    let reopened = sqlite(folder.path());
    let rows = reopened.query("#", Default::default()).await.unwrap();
    assert_eq!(rows.len(), 2);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts")
}

/// A backend that takes no row before the gate opens, and a database with rows waiting for it.
async fn with_rows_pending(gate: &Gate) -> (Arc<Interposed>, aimdb::Db) {
    let visitor = gate.clone();
    let backend = Arc::new(Interposed::new(move |call| {
        let passed = visitor.passed();
        async move {
            if matches!(call, Call::Store(_)) {
                passed.await;
            }
            Ok(())
        }
    }));
    let options =
        PersistenceOptions::new(backend.clone(), DAY).flush_deadline(Duration::from_millis(100));
    let builder = aimdb::builder().with_persistence_options(options);
    let db = aimdb::build(with_records(builder)).await;
    for value in 0..10 {
        aimdb::produce(&db, "temperature.ring", Temperature::at(value)).await;
        aimdb::produce(&db, "plain.ring", Reading(value)).await;
    }
    assert!(db.flush_persistence().await.is_err());
    eventually("the plain record's values are taken", || {
        let stats = db.persistence_stats().unwrap();
        stats.record("plain.ring").unwrap().counts.produced == 10
    })
    .await;
    (backend, db)
}

#[test]
fn what_a_dropped_runtime_leaves_is_stored_as_soon_as_the_backend_takes_it() {
    let gate = Gate::shut();
    let first = runtime();
    let (backend, db) = first.block_on(with_rows_pending(&gate));
    drop(first);
    gate.open();
    let second = runtime();
    second.block_on(eventually("everything is stored", || {
        db.persistence_stats().unwrap().total.stored == 20
    }));
    second.block_on(db.flush_persistence()).unwrap();
    assert_eq!(backend.rows().len(), 20);
    drop(db);
    second.block_on(eventually("the backend is let go", || {
        Arc::strong_count(&backend) == 1
    }));
}

#[test]
fn a_backend_that_hangs_is_let_go_after_its_database_and_its_runtime() {
    let gate = Gate::shut();
    let first = runtime();
    let (backend, db) = first.block_on(with_rows_pending(&gate));
    drop(db);
    drop(first);
    runtime().block_on(eventually("the backend is let go", || {
        Arc::strong_count(&backend) == 1
    }));
}

#[test]
fn a_value_produced_after_the_runtime_has_ended_is_counted() {
    let backend = Arc::new(MemoryBackend::new());
    let first = runtime();
    let db = first.block_on(async {
        let db = aimdb::build(with_records(
            aimdb::builder().with_persistence(backend.clone(), DAY),
        ))
        .await;
        aimdb::produce(&db, "temperature.ring", Temperature::at(1)).await;
        db.flush_persistence().await.unwrap();
        db
    });
    drop(first);
    runtime().block_on(aimdb::produce(&db, "temperature.ring", Temperature::at(2)));
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.stored, total.dropped, total.pending), (1, 1, 0));
}
