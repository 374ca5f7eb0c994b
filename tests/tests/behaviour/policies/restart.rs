//! What was stored before a restart is what the first value after it is compared with.

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, Keep, OnDuplicate, Persist, Policy,
};
use aimdb_persistence_tests::backends::{on_every_backend, sqlite};
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AT, LONG, counts, database, flush, half_a_degree, on_change, produce, rows, times};
use crate::aimdb;

#[tokio::test]
async fn the_last_stored_value_of_a_file_is_what_the_first_new_one_is_compared_with() {
    let folder = tempfile::tempdir().unwrap();
    let (mut stored, mut suppressed) = (Vec::new(), 0);
    // Each run drifts by what would be too little within a run as well.
    for run in 0..12_u64 {
        let backend = sqlite(folder.path());
        let db = database(std::sync::Arc::new(backend.clone()), half_a_degree()).await;
        let celsius = 20.0 + run as f64 * 0.125;
        produce(&db, [(run * 10, celsius), (run * 10 + 1, celsius)]).await;
        flush(&db).await;
        suppressed += counts(&db).suppressed;
        stored = rows(&backend).await;
        drop(db);
        backend.close().await.unwrap();
    }
    assert_eq!(stored, [(0, 20.0), (40, 20.5), (80, 21.0)]);
    assert_eq!(suppressed, 24 - 3);
}

#[tokio::test]
async fn intervals_and_silence_are_measured_from_the_row_that_is_stored() {
    on_every_backend(async |backend| {
        let policy = on_change()
            .min_interval_ms(10, Keep::First)
            .max_silence_ms(100);
        let runs: [&[(u64, f64)]; 3] = [
            &[(0, 1.0)],
            &[(5, 2.0), (12, 2.0)],
            &[(19, 3.0), (111, 2.0), (112, 2.0)],
        ];
        for run in runs {
            let db = database(backend.clone(), policy).await;
            produce(&db, run.iter().copied()).await;
            let report = db.close_persistence(LONG).await.unwrap();
            assert!(report.complete);
        }
        assert_eq!(times(&*backend).await, [0, 12, 112]);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_loses_no_change_whether_the_program_is_started_again_or_not() {
    on_every_backend(async |backend| {
        for restarts in [false, true] {
            let mut db = database(backend.clone(), on_change()).await;
            // Newest by time is the second row, stored last is the third.
            for (at, celsius) in [
                (9_000, 1.0),
                (10_000, 2.0),
                (9_500, 1.0),
                (9_600, 2.0),
                (9_700, 2.0),
                (9_800, 1.0),
            ] {
                if restarts {
                    db.close_persistence(LONG).await.unwrap();
                    db = database(backend.clone(), on_change()).await;
                }
                produce(&db, [(at, celsius)]).await;
                flush(&db).await;
            }
            let expected = [
                (9_000, 1.0),
                (9_500, 1.0),
                (9_600, 2.0),
                (9_800, 1.0),
                (10_000, 2.0),
            ];
            assert_eq!(rows(&*backend).await, expected, "restarts: {restarts}");
            db.history("#").delete().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn one_row_of_the_future_does_not_store_again_at_every_restart() {
    on_every_backend(async |backend| {
        let in_a_century = 4_900_000_000_000;
        for _ in 0..4 {
            let db = database(backend.clone(), on_change()).await;
            produce(&db, [(in_a_century, 9.0)]).await;
            produce(&db, [(1_000, 1.0), (1_001, 1.0)]).await;
            db.close_persistence(LONG).await.unwrap();
        }
        // 9, 1 | 9, 1 | … : each is a change; the third of a run is none.
        assert_eq!(rows(&*backend).await.len(), 8);
        let db = database(backend.clone(), on_change()).await;
        produce(&db, [(1_002, 1.0)]).await;
        flush(&db).await;
        assert_eq!((counts(&db).stored, counts(&db).suppressed), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn a_row_that_replaces_another_is_not_the_last_by_that_before_a_restart_or_after() {
    on_every_backend(async |backend| {
        for restarts in [false, true] {
            let policy = on_change().on_duplicate(OnDuplicate::Replace);
            let mut db = database(backend.clone(), policy).await;
            // The correction of the first row says nothing of the second, which is the last.
            for (at, celsius) in [(1, 1.0), (2, 2.0), (1, 3.0), (3, 3.0), (4, 3.0), (5, 2.0)] {
                produce(&db, [(at, celsius)]).await;
                flush(&db).await;
                if restarts {
                    db.close_persistence(LONG).await.unwrap();
                    db = database(backend.clone(), policy).await;
                }
            }
            let expected = [(1, 3.0), (2, 2.0), (3, 3.0), (5, 2.0)];
            assert_eq!(rows(&*backend).await, expected, "restarts: {restarts}");
            db.history("#").delete().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_compared_makes_the_next_value_a_change() {
    on_every_backend(async |backend| {
        for (at, odd) in [(1, json!("not a reading")), (3, json!({ "at": 3 }))] {
            backend.store("temperature.sf", &odd, at).await.unwrap();
            let db = database(backend.clone(), half_a_degree()).await;
            produce(&db, [(at + 1, 20.0), (at + 1, 20.1)]).await;
            flush(&db).await;
            assert_eq!(counts(&db).stored, 1, "{odd}");
            assert_eq!(counts(&db).suppressed, 1);
        }
    })
    .await;
}

/// The first version counted in Fahrenheit.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "boiler", on_change, version = 1)]
struct Fahrenheit {
    degrees: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "boiler", on_change, version = 2, migrate(Fahrenheit))]
struct Celsius {
    degrees: f64,
}

impl From<Fahrenheit> for Celsius {
    fn from(old: Fahrenheit) -> Self {
        Self {
            degrees: (old.degrees - 32.0) / 1.8,
        }
    }
}

#[tokio::test]
async fn what_an_older_version_wrote_is_no_repetition_though_it_reads_the_same() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
        Fahrenheit::register(&mut builder);
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "boiler", Fahrenheit { degrees: 50.0 }).await;
        db.close_persistence(LONG).await.unwrap();
        drop(db);

        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Celsius::register(&mut builder);
        let db = aimdb::build(builder).await;
        for _ in 0..2 {
            aimdb::produce(&db, "boiler", Celsius { degrees: 50.0 }).await;
        }
        flush(&db).await;
        let rows = Celsius::query_latest(&db, 9).await.unwrap();
        assert_eq!(rows, [50.0, 10.0].map(|degrees| Celsius { degrees }));
        assert_eq!(counts(&db).suppressed, 1);
    })
    .await;
}

#[tokio::test]
async fn many_series_each_go_on_where_they_ended() {
    const SERIES: u64 = 200;
    on_every_backend(async |backend| {
        for run in 0..3 {
            let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
            for station in 0..SERIES {
                Temperature::series(station)
                    .with_policy(Policy::new().on_change().ignore(AT))
                    .register(&mut builder);
            }
            let db = aimdb::build(builder).await;
            for station in 0..SERIES {
                let key = format!("temperature.{station}");
                // One in ten changes with each run.
                let celsius = (station + if station % 10 == 0 { run * 1_000 } else { 0 }) as f64;
                aimdb::produce(&db, &key, Temperature { celsius, at: run }).await;
            }
            flush(&db).await;
            let expected = if run == 0 { SERIES } else { SERIES / 10 };
            assert_eq!(counts(&db).stored, expected, "run {run}");
        }
        let all = backend.query("#", Default::default()).await.unwrap();
        assert_eq!(all.len() as u64, SERIES + 2 * SERIES / 10);
    })
    .await;
}
