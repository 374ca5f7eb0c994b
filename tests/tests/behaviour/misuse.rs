//! What is declared twice, in the wrong order or not at all: it works, or says what is missing.

use std::process::Command;
use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, MemoryBackend, Persist, PersistenceError,
    PersistenceEvent, PersistenceOptions, QueryParams, RecordRegistrarPersistExt, report::LossKind,
};
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use serde::{Deserialize, Serialize};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

fn ring() -> BufferCfg {
    BufferCfg::SpmcRing { capacity: 256 }
}

/// A hundred values into `temperature.sf`: each is stored once, with its event time, and counted once.
async fn each_value_is_recorded_once(builder: aimdb::Builder, backend: &MemoryBackend) {
    let db = aimdb::build(builder).await;
    for at in 0..100 {
        aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
    }
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.stored, total.pending), (100, 100, 0));
    let mut times: Vec<u64> = backend.rows().iter().map(|row| row.stored_at).collect();
    times.reverse();
    assert_eq!(times, Vec::from_iter(0..100));
}

#[tokio::test]
async fn a_record_registered_twice_is_recorded_once() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    Temperature::series("sf").register(&mut builder);
    Temperature::series("sf").register(&mut builder);
    each_value_is_recorded_once(builder, &backend).await;
}

#[tokio::test]
async fn a_record_persisted_twice_is_recorded_once() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    builder.configure::<Temperature>("temperature.sf", |reg| {
        let series = Temperature::series("sf");
        series.persist(series.persist(reg));
    });
    each_value_is_recorded_once(builder, &backend).await;

    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    builder.configure::<Reading>("plain", |reg| {
        reg.buffer(ring()).persist("plain").persist("plain");
    });
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "plain", Reading(1)).await;
    db.flush_persistence().await.unwrap();
    assert_eq!(backend.len(), 1);
    assert_eq!(db.persistence_stats().unwrap().total.produced, 1);
}

/// The ways to have `temperature.sf` recorded.
#[derive(Clone, Copy)]
enum Step {
    Plain,
    Declared,
    Registered,
}

impl Step {
    fn take(self, builder: &mut aimdb::Builder) {
        match self {
            Self::Plain => {
                builder.configure::<Temperature>("temperature.sf", |reg| {
                    reg.persist("temperature.sf");
                });
            }
            Self::Declared => {
                builder.configure::<Temperature>("temperature.sf", |reg| {
                    Temperature::series("sf").persist(reg);
                });
            }
            Self::Registered => Temperature::series("sf").register(builder),
        }
    }
}

#[tokio::test]
async fn a_record_registered_and_persisted_is_recorded_once_in_either_order() {
    let orders = [
        [Step::Plain, Step::Declared, Step::Registered],
        [Step::Plain, Step::Registered, Step::Declared],
        [Step::Declared, Step::Plain, Step::Registered],
        [Step::Declared, Step::Registered, Step::Plain],
        [Step::Registered, Step::Plain, Step::Declared],
        [Step::Registered, Step::Declared, Step::Plain],
    ];
    for order in orders {
        let backend = Arc::new(MemoryBackend::new());
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        for step in order {
            step.take(&mut builder);
        }
        each_value_is_recorded_once(builder, &backend).await;
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "humidity.{station}")]
struct Humidity {
    #[persist(timestamp)]
    at: u64,
}

#[tokio::test]
async fn a_series_persisted_on_its_own_buffer_and_registered_is_recorded_once() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    builder.configure::<Humidity>("humidity.sf", |reg| {
        Humidity::series("sf").persist(reg.buffer(ring()));
    });
    Humidity::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..100 {
        aimdb::produce(&db, "humidity.sf", Humidity { at }).await;
    }
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.produced, total.stored, total.pending), (100, 100, 0));
    assert_eq!(Humidity::query_latest(&db, 200).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_record_may_be_registered_before_the_history_is_configured() {
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder();
    Temperature::series("sf").register(&mut builder);
    let builder = builder.with_persistence(backend.clone(), FOREVER);
    each_value_is_recorded_once(builder, &backend).await;
}

#[tokio::test]
async fn of_two_backends_the_first_is_kept() {
    let (first, second) = (
        Arc::new(MemoryBackend::new()),
        Arc::new(MemoryBackend::new()),
    );
    let mut builder = aimdb::builder().with_persistence(first.clone(), FOREVER);
    Temperature::series("sf").register(&mut builder);
    let builder = builder.with_persistence(second.clone(), FOREVER);
    assert_eq!(
        Arc::strong_count(&second),
        1,
        "the second is let go at once"
    );
    each_value_is_recorded_once(builder, &first).await;
}

fn is_not_configured<T: std::fmt::Debug>(answer: Result<T, PersistenceError>) {
    let error = answer.unwrap_err();
    assert!(
        matches!(error, PersistenceError::NotConfigured),
        "{error:?}"
    );
    assert!(error.to_string().contains(".with_persistence("), "{error}");
}

#[tokio::test]
async fn without_a_history_everything_answers_that_it_is_not_configured() {
    let mut with_a_registered_record = aimdb::builder();
    Temperature::series("sf").register(&mut with_a_registered_record);
    for builder in [aimdb::builder(), with_a_registered_record] {
        let db = aimdb::build(builder).await;
        is_not_configured(db.query_latest::<Temperature>("temperature.sf", 1).await);
        is_not_configured(db.query_latest_strict::<Temperature>("#", 1).await);
        is_not_configured(db.query_range::<Temperature>("#", 0, 1, None).await);
        is_not_configured(db.query_range_strict::<Temperature>("#", 0, 1, None).await);
        is_not_configured(db.query_raw("*", QueryParams::default()).await);
        is_not_configured(Temperature::query_latest(&db, 1).await);
        is_not_configured(Temperature::query_range(&db, 0, 1, None).await);
        is_not_configured(Temperature::series("sf").query_latest(&db, 1).await);
        is_not_configured(db.flush_persistence().await);
        is_not_configured(db.close_persistence(FOREVER).await);
        is_not_configured(db.persistence_stats());
    }
}

#[tokio::test]
async fn a_registered_record_works_without_a_history() {
    let mut builder = aimdb::builder();
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in 0..100 {
        aimdb::pass_through(&db, "temperature.sf", Temperature::at(at)).await;
    }
}

/// A record without a buffer takes no values; AimDB 2 refuses to build it.
#[tokio::test]
async fn a_record_without_a_buffer_is_an_error_that_its_queries_and_the_stats_report() {
    let events = Events::new();
    let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), FOREVER)
        .on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    Temperature::series("sf").register(&mut builder);
    builder.configure::<Reading>("rain.sf", |reg| {
        reg.persist("rain.sf");
    });
    let Some(db) = aimdb::build_with_a_tap_without_buffer(builder).await else {
        return;
    };
    for pattern in ["rain.sf", "rain.*"] {
        let error = db
            .query_latest::<serde_json::Value>(pattern, 1)
            .await
            .unwrap_err();
        let PersistenceError::NotRecorded {
            record_name,
            reason,
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(record_name, "rain.sf");
        assert!(reason.contains(".buffer("), "{reason}");
        let raw = db.query_raw(pattern, QueryParams::default()).await;
        assert!(matches!(raw, Err(PersistenceError::NotRecorded { .. })));
    }
    let stats = db.persistence_stats().unwrap();
    let problem = stats.record("rain.sf").unwrap().problem.clone().unwrap();
    assert!(problem.contains(".buffer("), "{problem}");
    assert_eq!(
        events.count(
            |event| matches!(event, PersistenceEvent::NotRecorded { record_name, .. }
            if record_name == "rain.sf")
        ),
        1
    );
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    db.flush_persistence().await.unwrap();
    let others: Vec<Temperature> = db.query_latest("temperature.*", 1).await.unwrap();
    assert_eq!(others, [Temperature::at(1)]);
}

#[tokio::test]
async fn a_name_that_is_no_key_is_not_recorded_and_says_so() {
    for name in ["a..b", "", "a.*", "{station}", "a\nb"] {
        let events = Events::new();
        let backend = Arc::new(MemoryBackend::new());
        let options = PersistenceOptions::new(backend.clone(), FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        builder.configure::<Reading>("plain", |reg| {
            reg.buffer(ring()).persist(name);
        });
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "plain", Reading(1)).await;
        db.flush_persistence().await.unwrap();
        assert!(backend.is_empty());
        let stats = db.persistence_stats().unwrap();
        assert!(stats.record(name).unwrap().problem.is_some(), "{name:?}");
        assert_eq!(stats.total.produced, 0);
        assert_eq!(
            events.count(|event| matches!(event, PersistenceEvent::NotRecorded { .. })),
            1,
            "{name:?}"
        );
        assert_eq!(events.losses(name, LossKind::Dropped), 0);
        let answer = db.query_latest::<Reading>(name, 1).await;
        assert!(answer.is_err(), "{name:?}");
    }
}

#[test]
fn a_placeholder_value_that_leaves_its_segment_is_refused_and_named() {
    for value in ["a.b", "a::b", "*", "a#", "{x}", "", "a\u{7}"] {
        let error = Temperature::try_series(value).unwrap_err();
        assert_eq!(error.key(), value);
    }
    let panic = std::panic::catch_unwind(|| Temperature::series("a.b")).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("a.b"), "{text}");
}

/// Run by the test below in a process of its own, whose stderr it reads.
#[tokio::test]
async fn a_persist_before_with_persistence_breaks_nothing() {
    let mut builder = aimdb::builder();
    builder.configure::<Reading>("too.early", |reg| {
        reg.buffer(ring()).persist("too.early");
    });
    let backend = Arc::new(MemoryBackend::new());
    let mut builder = builder.with_persistence(backend.clone(), FOREVER);
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "too.early", Reading(1)).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    db.flush_persistence().await.unwrap();
    assert_eq!(backend.len(), 1);
}

#[test]
fn a_persist_before_with_persistence_says_so() {
    let path = module_path!();
    let module = path.split_once("::").map_or(path, |(_, module)| module);
    let test = format!("{module}::a_persist_before_with_persistence_breaks_nothing");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", &test])
        .output()
        .unwrap();
    assert!(output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    let line = stderr.lines().find(|line| line.contains("`too.early`"));
    let line = line.unwrap_or_else(|| panic!("nothing about the record: {stderr}"));
    assert!(line.contains(".with_persistence("), "{line}");
}
