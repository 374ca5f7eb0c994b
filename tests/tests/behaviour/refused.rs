//! What a program may not declare is declared nowhere: no row goes for it, and no other record is kept from being recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aimdb_persistence::backend::SweepRequest;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Deadband, Field, MemoryBackend, PersistenceBackend,
    PersistenceError, PersistenceOptions, Policy, QueryParams, RecordRegistrarPersistExt,
    Retention, StorageError, StorageErrorKind,
};
use aimdb_persistence_tests::backends::{Call, Interposed, on_every_backend};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use serde_json::json;

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

const N: Field<Reading, f64> = Field::at(&["n"]);
const HOUR: Duration = Duration::from_secs(3_600);

fn ring() -> BufferCfg {
    BufferCfg::SpmcRing { capacity: 256 }
}

async fn rows_of(backend: &dyn PersistenceBackend, pattern: &str) -> usize {
    backend
        .query(pattern, QueryParams::default())
        .await
        .unwrap()
        .len()
}

/// As a database that has run for a day asks for it.
async fn sweep(backend: &dyn PersistenceBackend, default_retention: Retention) {
    let request = SweepRequest {
        now_ms: 2_000_000_000_000,
        default_retention,
        longest_retention: default_retention,
        clock_is_trusted: true,
        max_ahead_ms: u64::MAX,
    };
    backend.sweep(request).await.unwrap();
}

#[tokio::test]
async fn a_policy_that_is_refused_removes_no_row() {
    on_every_backend(async |backend| {
        for n in 0..100 {
            backend.store("plain", &json!(n), n).await.unwrap();
        }
        let events = Events::new();
        let options = PersistenceOptions::new(backend.clone(), FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        builder.configure::<Reading>("plain", |reg| {
            reg.buffer(ring())
                .persist_with("plain", Policy::new().max_rows(0));
        });
        let db = aimdb::build(builder).await;
        let stats = db.persistence_stats().unwrap();
        assert!(
            stats
                .record("plain")
                .unwrap()
                .problem
                .as_ref()
                .unwrap()
                .contains("1 at least")
        );
        let asked: Result<Vec<Reading>, _> = db.query_latest("plain", 1).await;
        assert!(matches!(asked, Err(PersistenceError::NotRecorded { .. })));
        sweep(&*backend, Retention::Forever).await;
        assert_eq!(rows_of(&*backend, "plain").await, 100);
    })
    .await;
}

#[tokio::test]
async fn a_retention_of_zero_records_nothing_and_removes_no_row() {
    on_every_backend(async |backend| {
        backend
            .store("temperature.sf", &json!({ "celsius": 1.0, "at": 5 }), 5)
            .await
            .unwrap();
        let mut builder = aimdb::builder().with_persistence(backend.clone(), Duration::ZERO);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "temperature.sf", Temperature::at(7)).await;
        db.flush_persistence().await.unwrap();
        let report = db.close_persistence(Duration::from_secs(5)).await.unwrap();
        let record = report.stats.record("temperature.sf").unwrap();
        assert!(
            record.problem.as_ref().unwrap().contains("Duration::MAX"),
            "{record:?}"
        );
        assert_eq!((record.counts.dropped, record.counts.pending), (1, 0));
        assert_eq!(rows_of(&*backend, "#").await, 1);
    })
    .await;
}

/// On a clock that stands still until everybody waits: a sweep would have come, again and again.
#[tokio::test(start_paused = true)]
async fn a_retention_of_zero_is_swept_by_nobody() {
    let backend = Arc::new(MemoryBackend::new());
    backend.store("plain", &json!(1), 5).await.unwrap();
    let builder = aimdb::builder().with_persistence(backend.clone(), Duration::ZERO);
    let _db = aimdb::build(builder).await;
    tokio::time::sleep(HOUR * 72).await;
    assert_eq!(rows_of(&*backend, "plain").await, 1);
}

#[tokio::test]
async fn a_series_of_zero_retention_is_refused_like_a_type_that_declares_it() {
    on_every_backend(async |backend| {
        backend
            .store("temperature.sf", &json!({ "celsius": 1.0, "at": 5 }), 5)
            .await
            .unwrap();
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        Temperature::series("sf")
            .with_retention(Retention::Milliseconds(0))
            .register(&mut builder);
        Temperature::series("lab").register(&mut builder);
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "temperature.lab", Temperature::at(7)).await;
        db.flush_persistence().await.unwrap();
        sweep(&*backend, Retention::Forever).await;
        let stats = db.persistence_stats().unwrap();
        assert!(stats.record("temperature.sf").unwrap().problem.is_some());
        assert_eq!(rows_of(&*backend, "temperature.*").await, 2);
        let series = Temperature::series("attic").with_retention(Retention::Milliseconds(0));
        let stored = series.store(&db, &Temperature::at(9)).await;
        assert!(
            matches!(stored, Err(PersistenceError::NotRecorded { .. })),
            "{stored:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_record_with_a_bad_key_and_a_policy_stops_no_other_record() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), HOUR * 24 * 365 * 100);
        builder.configure::<Reading>("bad", |reg| {
            let policy = Policy::new().deadband(N, Deadband::Absolute(1.0));
            reg.buffer(ring()).persist_with("no.*.key", policy);
        });
        builder.configure::<Reading>("good", |reg| {
            reg.buffer(ring()).persist("good");
        });
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "good", Reading(1)).await;
        db.flush_persistence().await.unwrap();
        assert_eq!(rows_of(&*backend, "good").await, 1);
        let stats = db.persistence_stats().unwrap();
        assert!(stats.record("no.*.key").unwrap().problem.is_some());
        assert_eq!(stats.record("good").unwrap().problem, None);
    })
    .await;
}

/// Records of every place, over a backend that has its own mind about declarations. Says which have a problem, and
/// which are stored.
async fn recorded_over(backend: Interposed) -> (Vec<String>, Vec<String>) {
    let rows = backend.rows();
    let mut builder = aimdb::builder().with_persistence(Arc::new(backend), FOREVER);
    let places = ["attic", "cellar", "hall"];
    for place in places {
        Temperature::series(place).register(&mut builder);
    }
    let db = aimdb::build(builder).await;
    for place in places {
        aimdb::produce(&db, &format!("temperature.{place}"), Temperature::at(1)).await;
    }
    db.flush_persistence().await.unwrap();
    let stats = db.persistence_stats().unwrap();
    let problems = stats.records.iter().filter(|of| of.problem.is_some());
    let problems = problems.map(|of| of.record_name.clone()).collect();
    let stored = rows.query("#", QueryParams::default()).await.unwrap();
    let stored = stored.into_iter().map(|row| row.record_name).collect();
    (problems, stored)
}

#[tokio::test]
async fn a_declaration_that_its_backend_refuses_stops_no_other_record() {
    let backend = Interposed::new(|call| async move {
        match call {
            Call::Declare(names) if names.contains(&"temperature.cellar".to_owned()) => {
                Err(PersistenceError::Backend("it is too dark".to_owned()))
            }
            _ => Ok(()),
        }
    });
    let (problems, stored) = recorded_over(backend).await;
    assert_eq!(problems, ["temperature.cellar"]);
    for other in ["temperature.attic", "temperature.hall"] {
        assert!(stored.contains(&other.to_owned()), "{stored:?}");
    }
}

#[tokio::test]
async fn a_storage_that_fails_for_a_moment_while_records_are_declared_refuses_none_of_them() {
    let calls = AtomicUsize::new(0);
    let backend = Interposed::new(move |call| {
        let nth = match call {
            Call::Declare(_) => calls.fetch_add(1, Ordering::Relaxed),
            _ => usize::MAX,
        };
        async move {
            match nth {
                // Of all together, then of one alone.
                0 => Err(PersistenceError::Backend("it does not answer".to_owned())),
                1 => Err(StorageError::new(StorageErrorKind::Io, "it does not answer").into()),
                _ => Ok(()),
            }
        }
    });
    let (problems, stored) = recorded_over(backend).await;
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(stored.len(), 3);
}
