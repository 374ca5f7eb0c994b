//! Policies that contradict themselves, or ask more than the backend can keep, are reported when the database is built.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Deadband, Keep, MemoryBackend, OnDuplicate,
    PersistenceBackend, PersistenceError, PersistenceEvent, PersistenceOptions, Policy,
    RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::backends::ThreeMethods;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};

use super::{AT, CELSIUS, half_a_degree};
use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

/// What the database says of a record with this policy, in an event, in its statistics and to a query; all the same.
async fn complaint(backend: Arc<dyn PersistenceBackend>, policy: Policy) -> Option<String> {
    let events = Events::new();
    let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    Temperature::series("sf")
        .with_policy(policy)
        .register(&mut builder);
    builder.configure::<Reading>("plain", |reg| {
        reg.buffer(BufferCfg::SpmcRing { capacity: 16 })
            .persist_with("plain", policy);
    });
    let db = aimdb::build(builder).await;
    aimdb::produce(&db, "temperature.sf", Temperature::at(1)).await;
    aimdb::produce(&db, "plain", Reading(1)).await;
    let closed = db
        .close_persistence(std::time::Duration::from_secs(60))
        .await;
    assert!(closed.unwrap().complete);
    let stats = db.persistence_stats().unwrap();
    let problems: Vec<_> = stats.records.iter().map(|r| r.problem.clone()).collect();
    assert_eq!(problems[0], problems[1], "declared or not, it is the same");
    let told = events.count(|event| matches!(event, PersistenceEvent::NotRecorded { .. }));
    let queried = Temperature::series("sf").query_latest(&db, 1).await;
    let problem = problems[0].clone();
    match (&problem, queried) {
        (None, Ok(values)) => assert_eq!((values.len(), told), (1, 0)),
        (Some(problem), Err(PersistenceError::NotRecorded { reason, .. })) => {
            assert_eq!((&reason, told), (problem, 2));
        }
        (problem, queried) => panic!("{problem:?}, but {queried:?}"),
    }
    problem
}

#[tokio::test]
async fn a_policy_that_contradicts_itself_is_reported_with_what_to_change() {
    let plain = Policy::new();
    for (policy, words) in [
        (half_a_degree().on_change(), "contradict"),
        (plain.ignore(AT), "no effect without `on_change`"),
        (half_a_degree().ignore(AT), "no effect without `on_change`"),
        (plain.min_interval_ms(0, Keep::First), "0 ms"),
        (half_a_degree().max_silence_ms(0), "0 ms"),
        (plain.max_silence_ms(1_000), "every value is stored"),
        (
            half_a_degree()
                .min_interval_ms(1_001, Keep::Last)
                .max_silence_ms(1_000),
            "longer than `max_silence`",
        ),
        (plain.keep_last(0), "1 at least"),
        (plain.max_rows(0), "1 at least"),
        (plain.keep_last(11).max_rows(10), "greater than `max_rows`"),
        (
            plain.deadband(CELSIUS, Deadband::Absolute(-0.1)),
            "no distance",
        ),
        (
            plain.deadband(CELSIUS, Deadband::Relative(f64::NAN)),
            "no distance",
        ),
        (
            plain.deadband(CELSIUS, Deadband::Absolute(f64::INFINITY)),
            "no distance",
        ),
    ] {
        let complaint = complaint(Arc::new(MemoryBackend::new()), policy).await;
        let complaint = complaint.unwrap_or_else(|| panic!("accepted: {policy:?}"));
        assert!(complaint.contains(words), "{complaint}");
        assert!(
            complaint.contains("its policy cannot be followed"),
            "{complaint}"
        );
    }
}

#[tokio::test]
async fn a_setting_that_the_backend_cannot_keep_is_reported_and_not_dropped() {
    let three_methods = || Arc::new(ThreeMethods::new());
    for (policy, setting) in [
        (Policy::new().keep_last(1), "`keep_last`"),
        (Policy::new().max_rows(10), "`max_rows`"),
        (
            Policy::new().on_duplicate(OnDuplicate::Replace),
            "`on_duplicate`",
        ),
        (
            Policy::new().on_duplicate(OnDuplicate::Ignore),
            "`on_duplicate`",
        ),
    ] {
        let unsupported = complaint(three_methods(), policy).await.expect(setting);
        assert!(unsupported.contains(setting), "{unsupported}");
        assert!(unsupported.contains("backend"), "{unsupported}");
        let supported = complaint(Arc::new(MemoryBackend::new()), policy).await;
        assert_eq!(supported, None, "{setting}");
    }
}

#[tokio::test]
async fn what_the_recorder_does_by_itself_asks_nothing_of_a_backend() {
    // The newest row is kept where it can be; nobody has asked for it.
    for policy in [
        half_a_degree(),
        Policy::new().min_interval_ms(1, Keep::Last),
    ] {
        assert_eq!(complaint(Arc::new(ThreeMethods::new()), policy).await, None);
    }
}
