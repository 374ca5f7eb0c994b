//! Producers of AimDB 2 outlive the database's handle: so does their history.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, RecordRegistrarPersistExt};
use aimdb_persistence::{MemoryBackend, PersistenceEvent, PersistenceOptions};
use aimdb_persistence_tests::backends::{Call, Interposed};
use aimdb_persistence_tests::records::{FOREVER, Reading};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(start_paused = true)]
async fn retention_goes_on_while_a_source_produces() {
    let cleanups = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&cleanups);
    let backend = Arc::new(Interposed::new(move |call| {
        if call == Call::Cleanup {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        async { Ok(()) }
    }));
    let mut builder = aimdb::builder().with_persistence(backend, DAY);
    builder.configure::<Reading>("r", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 64 })
            .source(|_, producer| async move {
                for value in 0.. {
                    producer.produce(Reading(value));
                    tokio::time::sleep(DAY / 24).await;
                }
            })
            .persist("r");
    });
    let (db, runner) = builder.build().await.expect("the database builds");
    drop(db);
    let _running = tokio::spawn(runner.run());
    tokio::time::sleep(10 * DAY).await;
    assert!(cleanups.load(Ordering::SeqCst) >= 10);
}

#[tokio::test]
async fn a_second_record_under_one_name_is_told_that_it_is_not_recorded() {
    let told = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&told);
    let options =
        PersistenceOptions::new(Arc::new(MemoryBackend::new()), FOREVER).on_event(move |event| {
            if matches!(event, PersistenceEvent::NotRecorded { .. }) {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
    let mut builder = aimdb::builder().with_persistence_options(options);
    for key in ["a", "b"] {
        builder.configure::<Reading>(key, |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 64 })
                .persist("both");
        });
    }
    let db = aimdb::build(builder).await;
    // Which of the two AimDB starts first is not settled.
    for key in ["a", "b"] {
        aimdb::produce(&db, key, Reading(1)).await;
    }
    db.flush_persistence().await.unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 1);
    assert_eq!(db.persistence_stats().unwrap().total.stored, 1);
}
