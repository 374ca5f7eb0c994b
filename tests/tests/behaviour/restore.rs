//! Restart with `restore`: the last stored value is back in AimDB, and the history has not grown by it.

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, MemoryBackend, Persist, PersistenceBackend,
    PersistenceError, PersistenceEvent, PersistenceOptions, QueryParams, Series,
    report::{Counts, RestoreOutcome},
};
use aimdb_persistence_sqlite::{Durability, SqliteBackend};
use aimdb_persistence_tests::backends::{ThreeMethods, on_every_backend};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::FOREVER;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb::{self, TokioRecordRegistrarExt};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "set_point.{room}", on_change, restore, buffer = "latest")]
struct SetPoint {
    celsius: f64,
    #[persist(timestamp)]
    at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "gateway.{name}", restore = "1h")]
struct Gateway {
    #[persist(timestamp)]
    at: u64,
}

/// The second version of a type that began in Fahrenheit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "limit", restore, version = 2, migrate(LimitV1))]
struct Limit {
    celsius: f64,
}

#[derive(Deserialize)]
struct LimitV1 {
    fahrenheit: f64,
}

impl From<LimitV1> for Limit {
    fn from(old: LimitV1) -> Self {
        Self {
            celsius: (old.fahrenheit - 32.0) / 1.8,
        }
    }
}

/// What the first version of the program declared.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "limit", version = 1)]
struct FirstLimit {
    fahrenheit: f64,
}

async fn database<T: Persist>(
    backend: Arc<dyn PersistenceBackend>,
    series: impl IntoIterator<Item = Series<T>>,
) -> aimdb::Db {
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    for series in series {
        series.register(&mut builder);
    }
    aimdb::build(builder).await
}

fn set_point(at: u64, celsius: f64) -> SetPoint {
    SetPoint { celsius, at }
}

async fn outcome(db: &aimdb::Db, record_name: &str) -> RestoreOutcome {
    let report = db.restore_persistence().await.expect("the backend answers");
    let outcome = report.outcome(record_name);
    outcome.expect("the series declares it").clone()
}

async fn flush(db: &aimdb::Db) {
    db.flush_persistence().await.expect("the backend works");
}

fn counts(db: &aimdb::Db) -> Counts {
    let counts = db.persistence_stats().expect("it has a history").total;
    let settled = counts.stored + counts.suppressed + counts.restored + counts.overwritten;
    assert_eq!(counts.produced, settled + counts.lost() + counts.pending);
    counts
}

async fn rows(backend: &dyn PersistenceBackend) -> usize {
    let rows = backend.query("#", QueryParams::default()).await;
    rows.expect("the backend answers").len()
}

#[tokio::test]
async fn the_live_value_is_back_before_any_new_one_and_the_history_has_not_grown() {
    for durability in [Durability::Full, Durability::Relaxed] {
        let folder = tempfile::tempdir().unwrap();
        first_run(folder.path(), durability).await;
        let backend = opened(folder.path(), durability);
        let db = database(backend.clone(), [SetPoint::series("lab")]).await;
        let mut reader = db.subscribe::<SetPoint>("set_point.lab").unwrap();
        let restored = RestoreOutcome::Restored { stored_at: 2 };
        assert_eq!(outcome(&db, "set_point.lab").await, restored);
        assert_eq!(reader.recv().await.unwrap(), set_point(2, 21.5));
        flush(&db).await;
        assert_eq!(rows(&*backend).await, 2, "it is stored already");
        let after = counts(&db);
        assert_eq!((after.produced, after.restored), (1, 1));

        // It is the state that the next values are compared with.
        aimdb::produce(&db, "set_point.lab", set_point(3, 21.5)).await;
        flush(&db).await;
        aimdb::produce(&db, "set_point.lab", set_point(4, 19.0)).await;
        flush(&db).await;
        let after = counts(&db);
        assert_eq!((after.suppressed, after.stored), (1, 1));
        assert_eq!(rows(&*backend).await, 3);
        drop(db);
        backend.close().await.unwrap();
    }
}

fn opened(folder: &Path, durability: Durability) -> Arc<SqliteBackend> {
    let builder = SqliteBackend::builder(folder.join("history.db"));
    Arc::new(builder.durability(durability).open().expect("it opens"))
}

async fn first_run(folder: &Path, durability: Durability) {
    let backend = opened(folder, durability);
    let db = database(backend.clone(), [SetPoint::series("lab")]).await;
    assert_eq!(outcome(&db, "set_point.lab").await, RestoreOutcome::Empty);
    for value in [set_point(1, 20.0), set_point(2, 21.5)] {
        aimdb::produce(&db, "set_point.lab", value).await;
        flush(&db).await;
    }
    drop(db);
    backend.close().await.unwrap();
}

#[tokio::test]
async fn a_series_that_has_a_value_keeps_it_and_is_restored_once() {
    on_every_backend(async |backend| {
        let stored = json!({ "celsius": 20.0, "at": 5 });
        for room in ["lab", "office"] {
            let key = format!("set_point.{room}");
            backend.store(&key, &stored, 5).await.unwrap();
        }
        let series = ["lab", "office"].map(SetPoint::series);
        let db = database(backend, series).await;
        let mut reader = db.subscribe::<SetPoint>("set_point.lab").unwrap();
        aimdb::produce(&db, "set_point.lab", set_point(9, 30.0)).await;
        assert_eq!(
            outcome(&db, "set_point.lab").await,
            RestoreOutcome::HasValue
        );
        // The office's was restored by that call.
        assert_eq!(
            outcome(&db, "set_point.office").await,
            RestoreOutcome::HasValue
        );
        assert_eq!(reader.recv().await.unwrap(), set_point(9, 30.0));
        flush(&db).await;
        let counts = counts(&db);
        assert_eq!((counts.produced, counts.restored, counts.stored), (2, 1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_value_older_than_the_declaration_allows_is_not_restored() {
    const HOUR_MS: u64 = 3_600_000;
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    on_every_backend(async |backend| {
        let (old, young) = (now - HOUR_MS - 1, now - HOUR_MS / 2);
        for (name, at) in [("old", old), ("young", young)] {
            let key = format!("gateway.{name}");
            backend.store(&key, &json!({ "at": at }), at).await.unwrap();
        }
        let db = database(backend, ["old", "young", "new"].map(Gateway::series)).await;
        let report = db.restore_persistence().await.unwrap();
        let outcome = |name| report.outcome(name).unwrap();
        assert_eq!(
            outcome("gateway.old"),
            &RestoreOutcome::TooOld { stored_at: old }
        );
        assert_eq!(
            outcome("gateway.young"),
            &RestoreOutcome::Restored { stored_at: young }
        );
        assert_eq!(outcome("gateway.new"), &RestoreOutcome::Empty);
        assert_eq!(report.restored(), 1);
        assert_eq!(report.outcome("gateway.other"), None);
    })
    .await;
}

#[tokio::test]
async fn a_row_of_an_older_version_is_lifted() {
    on_every_backend(async |backend| {
        let old = database(backend.clone(), [FirstLimit::series()]).await;
        aimdb::produce(&old, "limit", FirstLimit { fahrenheit: 212.0 }).await;
        flush(&old).await;
        drop(old);
        let db = database(backend, [Limit::series()]).await;
        let mut reader = db.subscribe::<Limit>("limit").unwrap();
        assert!(matches!(
            outcome(&db, "limit").await,
            RestoreOutcome::Restored { .. }
        ));
        assert_eq!(reader.recv().await.unwrap(), Limit { celsius: 100.0 });
    })
    .await;
}

#[tokio::test]
async fn a_row_that_does_not_decode_is_reported_and_the_others_are_restored() {
    let backend = Arc::new(MemoryBackend::new());
    for (room, value) in [
        ("attic", json!("warm")),
        ("lab", json!({ "celsius": 1.0, "at": 7 })),
    ] {
        let key = format!("set_point.{room}");
        backend.store(&key, &value, 7).await.unwrap();
    }
    let events = Events::default();
    let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    for room in ["attic", "lab"] {
        SetPoint::series(room).register(&mut builder);
    }
    let db = aimdb::build(builder).await;
    let report = db.restore_persistence().await.unwrap();
    assert_eq!(report.restored(), 1);
    let attic = report.outcome("set_point.attic").unwrap();
    assert!(
        matches!(attic, RestoreOutcome::Undecodable { stored_at: 7, .. }),
        "{attic:?}"
    );
    assert_eq!(db.persistence_stats().unwrap().undecodable, 1);
    let is_told = |event: &PersistenceEvent| matches!(event, PersistenceEvent::Undecodable { record_name, .. } if record_name == "set_point.attic");
    assert!(events.all().iter().any(is_told), "{:?}", events.all());
}

#[tokio::test]
async fn the_applications_own_taps_see_the_restored_value() {
    let backend = Arc::new(ThreeMethods::new());
    backend.plant("set_point.lab", 5, json!({ "celsius": 20.0, "at": 5 }));
    let (seen, mut sees) = tokio::sync::mpsc::unbounded_channel();
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    SetPoint::series("lab").register(&mut builder);
    builder.configure::<SetPoint>("set_point.lab", |reg| {
        reg.tap(move |_, consumer| async move {
            let mut reader = aimdb::reader(&consumer);
            while let Ok(value) = reader.recv().await {
                let _ = seen.send(value);
            }
        });
    });
    let db = aimdb::build(builder).await;
    db.restore_persistence().await.unwrap();
    assert_eq!(sees.recv().await.unwrap(), set_point(5, 20.0));
}

#[tokio::test]
async fn a_buffer_of_the_applications_own_is_refused_with_advice() {
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "valve", restore)]
    struct Valve(bool);

    let backend = Arc::new(ThreeMethods::new());
    backend.plant("valve", 5, json!(true));
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    builder.configure::<Valve>("valve", |reg| {
        Valve::series().persist(reg.buffer(aimdb::BufferCfg::SpmcRing { capacity: 8 }));
    });
    let db = aimdb::build(builder).await;
    let RestoreOutcome::Refused { reason } = outcome(&db, "valve").await else {
        panic!("a reader cannot tell a restored value from a live one");
    };
    assert!(reason.contains("buffer = "), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_that_restore_at_once_give_each_value_back_once() {
    on_every_backend(async |backend| {
        let rooms: Vec<_> = (0..50).map(|room| format!("room-{room:02}")).collect();
        for room in &rooms {
            let stored = json!({ "celsius": 20.0, "at": 5 });
            let key = format!("set_point.{room}");
            backend.store(&key, &stored, 5).await.unwrap();
        }
        let db = Arc::new(database(backend, rooms.iter().map(SetPoint::series)).await);
        let restoring = [0; 4].map(|_| {
            let db = Arc::clone(&db);
            // A handler of a server asks its shared database as it asks any.
            tokio::spawn(async move { db.restore_persistence().await })
        });
        let mut restored = 0;
        for report in restoring {
            restored += report.await.unwrap().unwrap().restored();
        }
        assert_eq!(restored, rooms.len());
        assert_eq!(counts(&db).restored, rooms.len() as u64);
    })
    .await;
}

#[tokio::test]
async fn a_shared_database_is_asked_and_restored_like_any_other() {
    on_every_backend(async |backend| {
        let stored = json!({ "celsius": 20.0, "at": 5 });
        backend.store("set_point.lab", &stored, 5).await.unwrap();
        let db = Arc::new(database(backend, [SetPoint::series("lab")]).await);
        let report = AimDbQueryExt::restore_persistence(&db).await.unwrap();
        assert_eq!(report.restored(), 1);
        SetPoint::series("office")
            .store(&db, &set_point(6, 21.0))
            .await
            .unwrap();
        let newest = SetPoint::query_latest(&db, 1).await.unwrap();
        assert_eq!(newest, [set_point(5, 20.0), set_point(6, 21.0)]);
        assert_eq!(SetPoint::history(&&*db).values().await.unwrap(), newest);
        assert_eq!(db.persisted_series().await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_database_without_a_history_says_so() {
    let db = aimdb::build(aimdb::builder()).await;
    let refused = db.restore_persistence().await.unwrap_err();
    assert!(matches!(refused, PersistenceError::NotConfigured));
}

/// Values produced by another thread while the restored one is: the ring's readers see it first, or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_value_never_comes_after_a_live_one() {
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "level.{tank}", restore)]
    struct Level(u64);

    const TANKS: u64 = 400;
    let backend = Arc::new(ThreeMethods::new());
    for tank in 0..TANKS {
        backend.plant(&format!("level.{tank:03}"), 5, json!(0));
    }
    let series = (0..TANKS).map(|tank| Level::series(format!("{tank:03}")));
    let db = Arc::new(database(backend, series).await);
    let keys: Vec<_> = (0..TANKS).map(|tank| format!("level.{tank:03}")).collect();
    let mut readers = Vec::new();
    for key in &keys {
        readers.push(db.subscribe::<Level>(key).unwrap());
    }
    let start = Arc::new(Barrier::new(2));
    let (producer, begun, to) = (Arc::clone(&db), Arc::clone(&start), keys.clone());
    let live = thread::spawn(move || {
        begun.wait();
        for key in &to {
            (1..4).for_each(|n| aimdb::produce_at_once(&producer, key, Level(n)));
        }
    });
    start.wait();
    let report = db.restore_persistence().await.unwrap();
    live.join().unwrap();
    for (key, reader) in keys.iter().zip(&mut readers) {
        let mut seen = Vec::new();
        while seen.last() != Some(&3) {
            seen.push(reader.recv().await.unwrap().0);
        }
        match report.outcome(key).unwrap() {
            RestoreOutcome::Restored { .. } => assert_eq!(seen, [0, 1, 2, 3]),
            RestoreOutcome::HasValue => assert_eq!(seen, [1, 2, 3]),
            other => panic!("{other:?}"),
        }
    }
    flush(&db).await;
    let counts = counts(&db);
    assert_eq!(counts.stored, 3 * TANKS);
    assert_eq!(counts.restored, report.restored() as u64);
}

#[tokio::test]
async fn a_row_of_the_future_is_not_what_is_restored_and_is_told() {
    on_every_backend(async |backend| {
        let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now_ms = now_ms.as_millis() as u64;
        let set_point = |celsius, at| SetPoint { celsius, at };
        let in_a_day = now_ms + 86_400_000;
        for of in [set_point(20.0, now_ms - 1_000), set_point(99.0, in_a_day)] {
            let value = serde_json::to_value(&of).unwrap();
            backend.store("set_point.hall", &value, of.at).await.unwrap();
        }
        let events = Events::new();
        let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        SetPoint::series("hall").register(&mut builder);
        let db = aimdb::build(builder).await;
        let report = db.restore_persistence().await.unwrap();
        let outcome = report.outcome("set_point.hall");
        assert_eq!(outcome, Some(&RestoreOutcome::Restored { stored_at: now_ms - 1_000 }));
        let ahead = |event: &PersistenceEvent| matches!(event, PersistenceEvent::Ahead { stored_at, .. } if *stored_at == in_a_day);
        assert_eq!(events.count(ahead), 1);
    })
    .await;
}
