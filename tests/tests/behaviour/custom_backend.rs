//! A backend with the three required methods works through everything.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, QueryParams, RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::backends::{Call, Interposed, ThreeMethods};
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use aimdb_persistence_tests::waiting::eventually;
use serde_json::{Value, json};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

#[tokio::test]
async fn three_methods_are_enough_to_record_ask_and_count() {
    let backend = Arc::new(ThreeMethods::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    let series = Temperature::series("sf");
    series.register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..100 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
    }
    db.flush_persistence().await.unwrap();
    let stored: Vec<u64> = backend.rows().iter().map(|row| row.stored_at).collect();
    assert_eq!(stored, Vec::from_iter(0..100), "in the order of producing");
    assert_eq!(
        series.query_latest(&db, 2).await.unwrap(),
        [99, 98].map(Temperature::at)
    );
    assert_eq!(
        series.query_range(&db, 10, 11, None).await.unwrap(),
        [11, 10].map(Temperature::at)
    );
    let raw = db.query_raw("temperature.*", QueryParams::default()).await;
    assert_eq!(raw.unwrap().len(), 100);
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.stored), (100, 100));
    assert!(db.close_persistence(FOREVER).await.unwrap().complete);
}

#[tokio::test]
async fn initialize_is_called_once_and_before_anything_else() {
    for asks_first in [true, false] {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let backend = Arc::new(Interposed::new({
            let calls = Arc::clone(&calls);
            move |call| {
                let slow = call == Call::Initialize;
                calls.lock().unwrap().push(call);
                async move {
                    if slow {
                        tokio::task::yield_now().await;
                    }
                    Ok(())
                }
            }
        }));
        let week = Duration::from_secs(7 * 86_400);
        let mut builder = aimdb::builder().with_persistence(backend, week);
        builder.configure::<Reading>("plain", |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 16 })
                .persist("plain");
        });
        let db = aimdb::build(builder).await;
        if asks_first {
            db.query_latest::<Reading>("plain", 1).await.unwrap();
        }
        for value in 0..10 {
            aimdb::produce(&db, "plain", Reading(value)).await;
        }
        db.flush_persistence().await.unwrap();
        db.query_latest::<Reading>("plain", 1).await.unwrap();
        eventually("the sweep at the start", || {
            calls.lock().unwrap().contains(&Call::Cleanup)
        })
        .await;
        let calls = calls.lock().unwrap();
        assert_eq!(calls[0], Call::Initialize);
        let times = calls.iter().filter(|call| **call == Call::Initialize);
        assert_eq!(times.count(), 1);
    }
}

#[tokio::test]
async fn a_backend_that_returns_rows_outside_the_pattern_leaks_none() {
    let backend = Arc::new(ThreeMethods::leaking());
    let planted = [
        "sensors.a",
        "sensors.secret.deep",
        "temperature.oak",
        "other",
    ];
    for key in planted {
        backend.plant(key, 1, json!({ "celsius": 0.1, "at": 1, "key": key }));
    }
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    let series = Temperature::series("sf");
    series.register(&mut builder);
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(2)).await;
    db.flush_persistence().await.unwrap();
    for (pattern, expected) in [
        ("sensors.*", vec!["sensors.a"]),
        ("sensors.a", vec!["sensors.a"]),
        ("nothing", vec![]),
    ] {
        let rows = db.query_raw(pattern, QueryParams::default()).await.unwrap();
        let names: Vec<&str> = rows.iter().map(|row| &*row.record_name).collect();
        assert_eq!(names, expected, "{pattern}");
        let typed: Vec<Temperature> = db.query_latest(pattern, 9).await.unwrap();
        assert_eq!(typed.len(), expected.len());
    }
    assert_eq!(
        series.query_latest(&db, 9).await.unwrap(),
        [Temperature::at(2)]
    );
    assert_eq!(
        Temperature::query_latest(&db, 9).await.unwrap(),
        [Temperature::at(2)],
        "nobody knows that `temperature.oak` is of this type"
    );
}

#[tokio::test]
async fn each_row_is_stored_by_one_call_after_the_other() {
    let (under_way, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let backend = Arc::new(Interposed::new({
        let (under_way, most) = (Arc::clone(&under_way), Arc::clone(&most));
        move |call| {
            let (under_way, most) = (Arc::clone(&under_way), Arc::clone(&most));
            async move {
                if matches!(call, Call::Store(_)) {
                    let now = under_way.fetch_add(1, Ordering::Relaxed) + 1;
                    most.fetch_max(now, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    under_way.fetch_sub(1, Ordering::Relaxed);
                }
                Ok(())
            }
        }
    }));
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    for station in 0..10 {
        Temperature::series(station).register(&mut builder);
    }
    let db = aimdb::build(builder).await;
    for at in 0..100 {
        aimdb::produce(
            &db,
            &format!("temperature.{}", at % 10),
            Temperature::at(at),
        )
        .await;
    }
    db.flush_persistence().await.unwrap();
    assert_eq!(backend.rows().len(), 100);
    assert_eq!(most.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_value_is_handed_to_the_backend_as_it_was_produced() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let backend = Arc::new(Interposed::new({
        let seen = Arc::clone(&seen);
        move |call| {
            if let Call::Store(value) = call {
                seen.lock().unwrap().push(value);
            }
            async { Ok(()) }
        }
    }));
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    db.flush_persistence().await.unwrap();
    let expected: Vec<Value> = vec![json!({ "celsius": 0.1, "at": 1 })];
    assert_eq!(*seen.lock().unwrap(), expected);
}
