//! From a produced value to a stored row: what is recorded, when, and how often.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, QueryParams,
    RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use serde::{Deserialize, Serialize};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

fn now_ms() -> u64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    since_epoch.as_millis() as u64
}

#[tokio::test]
async fn twenty_thousand_values_at_once_into_a_large_ring_are_all_stored() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        for at in 0..20_000 {
            aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        }
        db.flush_persistence().await.unwrap();
        let total = db.persistence_stats().unwrap().total;
        assert_eq!(
            (total.produced, total.stored, total.pending),
            (20_000, 20_000, 0)
        );
        let newest_first = Temperature::query_range(&db, 0, u64::MAX, None)
            .await
            .unwrap();
        assert!(
            newest_first.iter().map(|t| t.at).eq((0..20_000).rev()),
            "every value once, newest first"
        );
    })
    .await;
}

#[tokio::test]
async fn the_first_value_after_the_build_is_recorded() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Temperature::series("sf").register(&mut builder);
        builder.configure::<Reading>("plain", |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 4 })
                .persist("plain");
        });
        builder.configure::<Reading>("newest", |reg| {
            reg.buffer(BufferCfg::SingleLatest).persist("newest");
        });
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "temperature.sf", Temperature::at(7)).await;
        aimdb::produce(&db, "plain", Reading(8)).await;
        aimdb::produce(&db, "newest", Reading(9)).await;
        db.flush_persistence().await.unwrap();
        assert_eq!(
            Temperature::query_latest(&db, 10).await.unwrap(),
            [Temperature::at(7)]
        );
        let plain: Vec<Reading> = db.query_latest("plain", 10).await.unwrap();
        assert_eq!(plain, [Reading(8)]);
        let newest: Vec<Reading> = db.query_latest("newest", 10).await.unwrap();
        assert_eq!(newest, [Reading(9)]);
    })
    .await;
}

fn ten_at_once() -> Vec<Temperature> {
    (1..=10).map(Temperature::at).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registered_record_loses_no_early_value_of_its_source_in_500_builds() {
    for build in 0..500 {
        let backend = Arc::new(MemoryBackend::new());
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        Temperature::series("sf").register(&mut builder);
        aimdb::add_source(&mut builder, "temperature.sf", ten_at_once());
        let db = aimdb::build(builder).await;
        all_ten_are_stored(&db, &backend, build).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_with_a_declared_buffer_loses_no_early_value_in_500_builds() {
    for build in 0..500 {
        let backend = Arc::new(MemoryBackend::new());
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        aimdb::add_source(&mut builder, "temperature.sf", ten_at_once());
        builder.configure::<Temperature>("temperature.sf", |reg| {
            Temperature::series("sf").persist(reg);
        });
        let db = aimdb::build(builder).await;
        all_ten_are_stored(&db, &backend, build).await;
    }
}

/// The source runs on a task of its own: what it has not produced yet when the flush begins is waited for here.
async fn all_ten_are_stored(db: &aimdb::Db, backend: &MemoryBackend, build: u32) {
    aimdb_persistence_tests::waiting::eventually("the source has produced", || {
        db.persistence_stats().unwrap().total.produced == 10
    })
    .await;
    db.flush_persistence().await.unwrap();
    assert_eq!(backend.len(), 10, "build {build}");
}

#[tokio::test]
async fn a_plain_persist_records_from_the_buffer_the_record_has() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        builder.configure::<Reading>("plain", |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 16 })
                .persist("plain");
        });
        let db = aimdb::build(builder).await;
        let before = now_ms();
        for value in 0..10 {
            aimdb::produce(&db, "plain", Reading(value)).await;
        }
        db.flush_persistence().await.unwrap();
        let after = now_ms();
        let rows = db.query_raw("plain", QueryParams::default()).await.unwrap();
        let values: Vec<u64> = rows.iter().map(|r| r.value.as_u64().unwrap()).collect();
        assert!(values.iter().copied().eq((0..10).rev()), "{values:?}");
        assert!(
            rows.iter().all(|r| (before..=after).contains(&r.stored_at)),
            "without an event time, a row is dated when it was received"
        );
    })
    .await;
}

#[tokio::test]
async fn a_record_may_be_recorded_under_another_name_than_its_key() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    builder.configure::<Reading>("live", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 16 })
            .persist("history.of.live");
    });
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "live", Reading(1)).await;
    db.flush_persistence().await.unwrap();
    let rows: Vec<Reading> = db.query_latest("history.of.live", 1).await.unwrap();
    assert_eq!(rows, [Reading(1)]);
}

#[tokio::test]
async fn a_buffer_set_after_the_declared_one_is_recorded_all_the_same() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    builder.configure::<Temperature>("temperature.sf", |reg| {
        Temperature::series("sf")
            .persist(reg)
            .buffer(BufferCfg::SpmcRing { capacity: 100 });
    });
    let db = aimdb::build(builder).await;
    for at in 0..100 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
    }
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.stored, total.pending), (100, 100, 0));
    assert_eq!(
        Temperature::query_latest(&db, 200).await.unwrap().len(),
        100
    );
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "exact")]
struct Exact {
    double: f64,
    single: f32,
    large: u64,
    negative: i64,
    text: String,
    nothing: Option<f64>,
}

#[tokio::test]
async fn what_is_asked_back_equals_what_was_produced() {
    let thirds = (1..200).map(|n| Exact {
        double: f64::from(n) / 3.0 * 1e-7,
        single: n as f32 / 7.0,
        large: u64::MAX - n as u64,
        negative: i64::MIN + i64::from(n),
        text: format!("\"quoted\" \\ {n} \u{0} \u{1F321} null"),
        nothing: (n % 2 == 0).then_some(-0.1 * f64::from(n)),
    });
    let produced: Vec<Exact> = thirds.collect();
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Exact::register(&mut builder);
        let db = aimdb::build(builder).await;
        for value in &produced {
            aimdb::produce(&db, "exact", value.clone()).await;
        }
        db.flush_persistence().await.unwrap();
        let mut asked_back = Exact::query_latest(&db, usize::MAX).await.unwrap();
        asked_back.reverse();
        assert_eq!(asked_back, produced);
    })
    .await;
}

#[tokio::test]
async fn values_with_the_same_event_time_are_all_kept_and_the_last_comes_first() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        for celsius in [1.0, 2.0, 3.0] {
            aimdb::produce(&db, "temperature.sf", Temperature { celsius, at: 5 }).await;
        }
        db.flush_persistence().await.unwrap();
        let rows = Temperature::query_latest(&db, 10).await.unwrap();
        let degrees: Vec<f64> = rows.iter().map(|row| row.celsius).collect();
        assert_eq!(degrees, [3.0, 2.0, 1.0]);
    })
    .await;
}
