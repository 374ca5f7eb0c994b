//! Values stored past AimDB: under the type's declaration, awaited, and counted like any other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Deadband, Keep, OnDuplicate, Persist,
    PersistenceBackend, PersistenceError, Policy, QueryParams, report::Counts,
};
use aimdb_persistence_tests::backends::{
    Call, Gate, Interposed, ThreeMethods, on_every_backend, sqlite,
};
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::{Deserialize, Serialize};

use super::policies::{AT, CELSIUS};
use crate::aimdb;

/// A database of no record at all.
async fn database(backend: Arc<dyn PersistenceBackend>) -> aimdb::Db {
    aimdb::build(aimdb::builder().with_persistence(backend, FOREVER)).await
}

fn reading(at: u64, celsius: f64) -> Temperature {
    Temperature { celsius, at }
}

async fn times(backend: &dyn PersistenceBackend) -> Vec<u64> {
    let rows = backend.query("#", QueryParams::default()).await.unwrap();
    rows.iter().rev().map(|row| row.stored_at).collect()
}

fn counts(db: &aimdb::Db) -> Counts {
    let counts = db.persistence_stats().unwrap().total;
    let settled = counts.stored + counts.suppressed + counts.restored + counts.overwritten;
    assert_eq!(counts.produced, settled + counts.lost() + counts.pending);
    counts
}

#[tokio::test]
async fn a_device_found_after_the_build_has_a_history_of_its_type() {
    on_every_backend(async |backend| {
        let db = database(backend.clone()).await;
        let found = Temperature::series("attic");
        for at in 0..3 {
            found.store(&db, &Temperature::at(at)).await.unwrap();
        }
        // Awaited: nothing needs to be flushed.
        assert_eq!(times(&*backend).await, [0, 1, 2]);
        let newest = Temperature::query_latest(&db, 1).await.unwrap();
        assert_eq!(newest, [Temperature::at(2)]);
        assert_eq!(counts(&db).stored, 3);
    })
    .await;
}

#[tokio::test]
async fn what_its_type_declares_is_in_the_file() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
    #[persist(key = "level.{tank}", max_rows = 9, on_duplicate = "replace", version = 3, migrate(.., u8))]
    struct Level {
        litres: u64,
        #[persist(timestamp)]
        at: u64,
    }
    impl From<u8> for Level {
        fn from(litres: u8) -> Self {
            let litres = litres.into();
            Self { litres, at: 0 }
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let backend = sqlite(folder.path());
    let db = database(Arc::new(backend.clone())).await;
    let tank = Level::series("north");
    let levels = [(1, 10), (2, 20), (2, 21), (3, 30)].map(|(at, litres)| Level { litres, at });
    tank.store_all(&db, &levels).await.unwrap();
    // The sweep of the start may come after them: it leaves two.
    let stored = times(&backend).await;
    let expected = [&[1, 2, 3][..], &[2, 3]];
    assert!(
        expected.contains(&&*stored),
        "the time 2 was replaced: {stored:?}"
    );
    drop(db);
    backend.close().await.unwrap();
    let again = sqlite(folder.path());
    let db = database(Arc::new(again.clone())).await;
    let rows = Level::query_latest(&db, 9).await.unwrap();
    assert!(rows.contains(&levels[2]), "{rows:?}");
    let file = folder.path().join("history.db");
    let file = rusqlite::Connection::open(file).unwrap();
    let declared: i64 = file
        .query_row("SELECT max_rows FROM series", [], |row| row.get(0))
        .unwrap();
    assert_eq!(declared, 9);
}

#[tokio::test]
async fn a_long_backfill_is_stored_in_batches_without_loss() {
    const VALUES: u64 = 45_000;
    on_every_backend(async |backend| {
        let db = database(backend.clone()).await;
        let logger = (0..VALUES).map(Temperature::at);
        let stored = Temperature::series("sf").store_all(&db, logger).await;
        assert_eq!(stored.unwrap(), VALUES);
        assert_eq!(times(&*backend).await, (0..VALUES).collect::<Vec<_>>());
        assert_eq!(counts(&db).stored, VALUES);
    })
    .await;
}

#[tokio::test]
async fn the_policy_judges_stored_and_produced_values_alike() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        let series = Temperature::series("sf")
            .with_policy(Policy::new().deadband(CELSIUS, Deadband::Absolute(0.5)));
        series.register(&mut builder);
        let db = aimdb::build(builder).await;
        let values = [(0, 20.0), (1, 20.4), (2, 20.5)].map(|(at, celsius)| reading(at, celsius));
        assert_eq!(series.store_all(&db, &values).await.unwrap(), 2);
        for (at, celsius) in [(3, 20.9), (4, 21.0)] {
            aimdb::produce(&db, series.key(), reading(at, celsius)).await;
        }
        db.flush_persistence().await.unwrap();
        series.store(&db, &reading(5, 21.4)).await.unwrap();
        assert_eq!(times(&*backend).await, [0, 2, 4]);
        assert_eq!((counts(&db).stored, counts(&db).suppressed), (3, 3));
    })
    .await;
}

#[tokio::test]
async fn a_backfill_goes_on_after_what_an_earlier_run_has_stored() {
    on_every_backend(async |backend| {
        let found = Temperature::series("attic").with_policy(Policy::new().on_change());
        for (at, stored) in [(1, 1), (2, 0)] {
            let db = database(backend.clone()).await;
            let rows = found.store_all(&db, [reading(at, 20.0), reading(at, 20.0)]);
            assert_eq!(rows.await.unwrap(), stored);
        }
        assert_eq!(times(&*backend).await, [1]);
    })
    .await;
}

#[tokio::test]
async fn the_last_value_that_is_stored_does_not_wait_for_the_end_of_its_interval() {
    on_every_backend(async |backend| {
        let db = database(backend.clone()).await;
        let policy = Policy::new().min_interval_ms(1_000_000, Keep::Last);
        let series = Temperature::series("sf").with_policy(policy);
        let stored = series.store_all(&db, (0..5).map(Temperature::at));
        assert_eq!(stored.await.unwrap(), 1);
        assert_eq!(times(&*backend).await, [4]);
        assert_eq!((counts(&db).pending, counts(&db).suppressed), (0, 4));
    })
    .await;
}

#[tokio::test]
async fn a_value_without_a_row_is_an_error_and_those_before_it_are_stored() {
    on_every_backend(async |backend| {
        let db = database(backend.clone()).await;
        let series = Temperature::series("sf");
        for bad in [reading(2, f64::INFINITY), reading(u64::MAX, 1.0)] {
            let values = [reading(1, 1.0), bad, reading(3, 1.0)];
            let refused = series.store_all(&db, &values).await.unwrap_err();
            let PersistenceError::Unstorable { record_name, .. } = &refused else {
                panic!("{refused}");
            };
            assert_eq!(record_name, "temperature.sf");
        }
        assert_eq!(times(&*backend).await, [1, 1]);
        let counts = counts(&db);
        assert_eq!((counts.unserializable, counts.failed), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_the_callers_and_silences_nothing_that_follows() {
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let backend = Arc::new(Interposed::new(move |call| {
        let fails = matches!(call, Call::Store(_)) && failing.load(Ordering::SeqCst);
        async move {
            match fails {
                true => Err(PersistenceError::Backend("not today".to_owned())),
                false => Ok(()),
            }
        }
    }));
    let db = database(backend.clone()).await;
    let series = Temperature::series("sf").with_policy(Policy::new().on_change().ignore(AT));
    let failed = series.store(&db, &reading(1, 5.0)).await.unwrap_err();
    assert!(failed.to_string().contains("not today"), "{failed}");
    fails.store(false, Ordering::SeqCst);
    series.store(&db, &reading(2, 5.0)).await.unwrap();
    assert_eq!(times(&backend.rows()).await, [2]);
    assert_eq!((counts(&db).failed, counts(&db).stored), (1, 1));
}

#[tokio::test]
async fn a_row_that_is_there_already_is_left_out_and_not_counted_as_stored() {
    on_every_backend(async |backend| {
        let db = database(backend.clone()).await;
        let once = Policy::new().on_duplicate(OnDuplicate::Ignore);
        let series = Temperature::series("sf").with_policy(once);
        let values = [(1, 5.0), (1, 6.0), (2, 7.0)].map(|(at, celsius)| reading(at, celsius));
        assert_eq!(series.store_all(&db, &values).await.unwrap(), 2);
        assert_eq!(series.store_all(&db, &values).await.unwrap(), 0);
        assert_eq!(times(&*backend).await, [1, 2]);
        assert_eq!((counts(&db).suppressed, counts(&db).stored), (4, 2));
    })
    .await;
}

#[tokio::test]
async fn a_row_that_the_backend_refuses_is_an_error_and_those_around_it_are_stored() {
    let backend = Arc::new(Interposed::new(|call| async move {
        match call {
            Call::Store(value) if value["at"] == 2 => Err(PersistenceError::Unstorable {
                record_name: "temperature.sf".to_owned(),
                reason: "as this test wants it".to_owned(),
            }),
            _ => Ok(()),
        }
    }));
    let db = database(backend.clone()).await;
    let values = [1, 2, 3].map(|at| reading(at, 5.0));
    let stored = Temperature::series("sf").store_all(&db, &values).await;
    let refused = stored.unwrap_err();
    assert!(refused.to_string().contains("as this test"), "{refused}");
    assert_eq!(times(&backend.rows()).await, [1, 3]);
    assert_eq!((counts(&db).failed, counts(&db).stored), (1, 2));
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_neither_a_pending_value_nor_a_phantom() {
    let gate = Gate::shut();
    let waits = |call: &Call| matches!(call, Call::Store(_));
    let backend = Arc::new(Interposed::waiting_at(&gate, waits));
    let db = database(backend.clone()).await;
    let series = Temperature::series("sf").with_policy(Policy::new().on_change().ignore(AT));
    let first = reading(1, 5.0);
    {
        let mut store = Box::pin(series.store(&db, &first));
        let mut polls = 0;
        while counts(&db).produced == 0 {
            let polled = store.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending() && polls < 1_000_000);
            polls += 1;
            tokio::task::yield_now().await;
        }
    }
    assert_eq!((counts(&db).dropped, counts(&db).pending), (1, 0));
    gate.open();
    series.store(&db, &reading(2, 5.0)).await.unwrap();
    assert_eq!(times(&backend.rows()).await, [2]);
}

#[tokio::test]
async fn misuse_is_an_error_that_says_what_to_do() {
    let plain = aimdb::build(aimdb::builder()).await;
    let series = Temperature::series("sf");
    let refused = series.store(&plain, &Temperature::at(1)).await;
    assert!(matches!(refused, Err(PersistenceError::NotConfigured)));

    let db = database(Arc::new(ThreeMethods::new())).await;
    let capped = series.clone().with_policy(Policy::new().max_rows(5));
    let refused = capped.store(&db, &Temperature::at(1)).await.unwrap_err();
    assert!(refused.to_string().contains("max_rows"), "{refused}");

    let db = database(Arc::new(ThreeMethods::new())).await;
    let closed = db.close_persistence(Duration::from_secs(60)).await;
    assert!(closed.unwrap().complete);
    let refused = series.store(&db, &Temperature::at(1)).await;
    assert!(matches!(refused, Err(PersistenceError::Closed)));
}
