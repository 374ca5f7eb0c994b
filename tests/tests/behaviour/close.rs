//! A close ends recording and says what it achieved; a dropped database has recorded everything.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, PersistenceOptions, QueryParams,
    RecordRegistrarPersistExt, declare::BufferKind, report::LossKind,
};
use aimdb_persistence_tests::backends::{Call, Interposed, on_every_backend};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use aimdb_persistence_tests::waiting::eventually;

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_close_stores_what_was_produced_and_drops_what_comes_after() {
    on_every_backend(async |backend| {
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        let series = Temperature::series("sf");
        series.register(&mut builder);
        let db = aimdb::build(builder).await;
        for at in 0..100 {
            aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        }
        let report = db.close_persistence(LONG).await.unwrap();
        assert!(report.complete, "{:?}", report.error);
        assert_eq!(
            (report.stats.total.stored, report.stats.total.pending),
            (100, 0)
        );
        for at in 100..130 {
            aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        }
        let second = db.close_persistence(LONG).await.unwrap();
        assert!(second.complete, "{:?}", second.error);
        let total = db.persistence_stats().unwrap().total;
        assert_eq!(
            (total.produced, total.stored, total.dropped, total.pending),
            (130, 100, 30, 0)
        );
        db.flush_persistence().await.unwrap();
        assert_eq!(series.query_latest(&db, 1_000).await.unwrap().len(), 100);
        assert_eq!(events.losses("temperature.sf", LossKind::Dropped), 1);
    })
    .await;
}

#[tokio::test]
async fn after_a_close_a_flush_still_waits_for_the_backend() {
    let backend = Arc::new(Interposed::new(|call| async move {
        if call == Call::Flush {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }));
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let tasks_before = tasks();
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    assert!(db.close_persistence(LONG).await.unwrap().complete);
    eventually("the recorder's tasks have ended", || {
        tasks() == tasks_before
    })
    .await;
    db.flush_persistence().await.unwrap();
    assert!(db.close_persistence(LONG).await.unwrap().complete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_close_under_way_leaves_no_value_uncounted() {
    for _ in 0..20 {
        let backend = Arc::new(MemoryBackend::new());
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        Temperature::series("sf").register(&mut builder);
        let db = Arc::new(aimdb::build(builder).await);
        let producers: Vec<_> = (0..4)
            .map(|_| {
                let db = Arc::clone(&db);
                tokio::spawn(async move {
                    for at in 0..500 {
                        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        db.close_persistence(LONG).await.unwrap();
        for producer in producers {
            producer.await.unwrap();
        }
        eventually("every value is counted", || {
            db.persistence_stats().unwrap().total.pending == 0
        })
        .await;
        let total = db.persistence_stats().unwrap().total;
        assert_eq!(total.produced, 2_000);
        assert_eq!(total.stored + total.dropped + total.lagged, 2_000);
        assert_eq!(total.stored, backend.len() as u64);
    }
}

#[tokio::test]
async fn what_was_produced_before_the_database_is_dropped_is_stored() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        Temperature::series("ring").register(&mut builder);
        Temperature::series("latest")
            .with_buffer(BufferKind::Latest)
            .register(&mut builder);
        builder.configure::<Reading>("plain.ring", |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 1_024 })
                .persist("plain.ring");
        });
        builder.configure::<Reading>("plain.latest", |reg| {
            reg.buffer(BufferCfg::SingleLatest).persist("plain.latest");
        });
        builder.configure::<Reading>("plain.mailbox", |reg| {
            reg.buffer(BufferCfg::Mailbox).persist("plain.mailbox");
        });
        // Dropped at once, before any task of the recorder has run.
        let db = aimdb::build(builder).await;
        for at in 0..100 {
            aimdb::produce(&db, "temperature.ring", Temperature::at(at)).await;
            aimdb::produce(&db, "temperature.latest", Temperature::at(at)).await;
            aimdb::produce(&db, "plain.ring", Reading(at)).await;
            aimdb::produce(&db, "plain.latest", Reading(at)).await;
            aimdb::produce(&db, "plain.mailbox", Reading(at)).await;
        }
        drop(db);
        eventually("the recorder has ended", || {
            Arc::strong_count(&backend) == 1
        })
        .await;
        for (name, rows) in [
            ("temperature.ring", 100),
            ("temperature.latest", 1),
            ("plain.ring", 100),
            ("plain.latest", 1),
            ("plain.mailbox", 1),
        ] {
            let stored = backend.query(name, QueryParams::default()).await.unwrap();
            assert_eq!(stored.len(), rows, "{name}");
            let newest = &stored[0].value;
            assert!(newest == 99 || newest["at"] == 99, "{name}: {newest}");
        }
    })
    .await;
}
