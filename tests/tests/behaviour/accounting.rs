//! Every value ends in exactly one counter, at every moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, PersistenceOptions,
    PersistenceStats, RecordRegistrarPersistExt,
    declare::BufferKind,
    report::{Counts, LossKind},
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

/// The sum of all outcomes, written out here so that the crate's own sum is not what it is compared with.
fn settled_or_pending(counts: &Counts) -> u64 {
    counts.stored
        + counts.suppressed
        + counts.restored
        + counts.overwritten
        + counts.lagged
        + counts.dropped
        + counts.failed
        + counts.unserializable
        + counts.pending
}

#[track_caller]
fn assert_exact(stats: &PersistenceStats) {
    for record in &stats.records {
        assert_eq!(
            record.counts.produced,
            settled_or_pending(&record.counts),
            "{record:?}"
        );
    }
    assert_eq!(
        stats.total.produced,
        settled_or_pending(&stats.total),
        "{:?}",
        stats.total
    );
    let produced: u64 = stats.records.iter().map(|r| r.counts.produced).sum();
    assert_eq!(stats.total.produced, produced);
}

#[tokio::test]
async fn a_ring_that_is_too_small_counts_what_it_overwrote() {
    on_every_backend(async |backend| {
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Temperature::series("sf")
            .with_buffer(BufferKind::Ring(1_024))
            .register(&mut builder);
        let db = aimdb::build(builder).await;
        for at in 0..20_000 {
            aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        }
        db.flush_persistence().await.unwrap();
        let stats = db.persistence_stats().unwrap();
        let rows = Temperature::query_latest(&db, usize::MAX).await.unwrap();
        let counts = stats.record("temperature.sf").unwrap().counts;
        assert_eq!(counts, stats.total, "the record is the only one");
        assert_eq!(counts.produced, 20_000);
        assert_eq!(counts.stored, rows.len() as u64);
        assert_eq!(counts.stored + counts.lagged, 20_000);
        assert!(
            counts.lagged > 0,
            "nothing was lost: the test tests nothing"
        );
        assert_eq!(rows[0], Temperature::at(19_999), "the oldest are lost");
        assert_eq!(events.losses("temperature.sf", LossKind::Lagged), 1);
    })
    .await;
}

#[tokio::test]
async fn a_plain_persist_counts_what_it_receives_and_what_its_ring_overwrote() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    builder.configure::<Reading>("plain", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 64 })
            .persist("plain");
    });
    let db = aimdb::build(builder).await;
    for value in 0..1_000 {
        aimdb::produce(&db, "plain", Reading(value)).await;
    }
    db.flush_persistence().await.unwrap();
    let stats = db.persistence_stats().unwrap();
    assert_exact(&stats);
    let counts = stats.record("plain").unwrap().counts;
    assert_eq!((counts.produced, counts.pending), (1_000, 0));
    assert_eq!(counts.stored, backend.len() as u64);
    assert_eq!(counts.stored + counts.lagged, 1_000);
    assert!(
        counts.lagged > 0,
        "nothing was lost: the test tests nothing"
    );
}

/// Produces `each` values from every one of `tasks` tasks, spread over the series, taking snapshots meanwhile.
async fn produce_concurrently(db: &Arc<aimdb::Db>, keys: &Arc<Vec<String>>, tasks: u64, each: u64) {
    let done = Arc::new(AtomicBool::new(false));
    let watcher = tokio::spawn({
        let (db, done) = (Arc::clone(db), Arc::clone(&done));
        async move {
            let mut snapshots = 0_u64;
            while !done.load(Ordering::Acquire) {
                assert_exact(&db.persistence_stats().unwrap());
                snapshots += 1;
                tokio::task::yield_now().await;
            }
            snapshots
        }
    });
    let producers: Vec<_> = (0..tasks)
        .map(|task| {
            let (db, keys) = (Arc::clone(db), Arc::clone(keys));
            tokio::spawn(async move {
                for value in 0..each {
                    let key = &keys[(task + value) as usize % keys.len()];
                    aimdb::produce(&db, key, Temperature::at(value)).await;
                    if value % 16 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for producer in producers {
        producer.await.unwrap();
    }
    done.store(true, Ordering::Release);
    assert!(watcher.await.unwrap() > 0);
    db.flush_persistence().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_latest_buffer_counts_what_was_overwritten_under_four_producers() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    Temperature::series("sf")
        .with_buffer(BufferKind::Latest)
        .register(&mut builder);
    let db = Arc::new(aimdb::build(builder).await);
    let keys = Arc::new(vec!["temperature.sf".to_owned()]);
    produce_concurrently(&db, &keys, 4, 2_500).await;
    let stats = db.persistence_stats().unwrap();
    assert_exact(&stats);
    assert_eq!((stats.total.produced, stats.total.pending), (10_000, 0));
    assert_eq!(stats.total.stored, backend.len() as u64);
    assert_eq!(stats.total.stored + stats.total.overwritten, 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_records_with_tiny_rings_add_up_exactly_at_every_moment() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    let mut keys = Vec::new();
    for station in 0..20 {
        let series = Temperature::series(station).with_buffer(BufferKind::Ring(8));
        series.register(&mut builder);
        keys.push(series.key().to_owned());
    }
    let db = Arc::new(aimdb::build(builder).await);
    produce_concurrently(&db, &Arc::new(keys), 8, 2_000).await;
    let stats = db.persistence_stats().unwrap();
    assert_exact(&stats);
    assert_eq!((stats.total.produced, stats.total.pending), (16_000, 0));
    assert_eq!(stats.total.stored, backend.len() as u64);
    assert_eq!(stats.total.stored + stats.total.lagged, 16_000);
}

#[tokio::test]
async fn a_ring_for_no_values_holds_one() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    Temperature::series("sf")
        .with_buffer(BufferKind::Ring(0))
        .register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..10 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
    }
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.stored + total.lagged), (10, 10));
    assert_eq!(
        Temperature::query_latest(&db, 1).await.unwrap(),
        [Temperature::at(9)]
    );
}

#[tokio::test]
async fn the_newest_value_of_a_latest_buffer_is_always_recorded() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        let series = Temperature::series("sf").with_buffer(BufferKind::Latest);
        series.register(&mut builder);
        let db = aimdb::build(builder).await;
        for at in 0..1_000 {
            aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        }
        db.flush_persistence().await.unwrap();
        let rows = series.query_latest(&db, usize::MAX).await.unwrap();
        assert_eq!(rows[0], Temperature::at(999));
        let total = db.persistence_stats().unwrap().total;
        assert_eq!(total.stored, rows.len() as u64);
        assert_eq!(total.stored + total.overwritten, 1_000);
    })
    .await;
}
