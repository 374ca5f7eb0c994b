//! What is declared, and what there is.

use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, Persist, Policy, RecordRegistrarPersistExt,
    Retention, declare::BufferKind,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::{FOREVER, Reading, Temperature};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "door", retention = "30d", buffer = "latest", on_change, version = 2, migrate(..))]
struct Door {
    open: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "gauge")]
struct Gauge(f64);

#[tokio::test]
async fn every_declared_series_is_listed_with_its_terms_and_what_is_stored_of_it() {
    on_every_backend(async |backend| {
        // From an earlier run; of a series that this one does not declare there is nothing to say.
        for at in [5, 7] {
            let earlier = json!({ "celsius": 1.0, "at": at });
            backend.store("temperature.sf", &earlier, at).await.unwrap();
            backend.store("other", &earlier, at).await.unwrap();
        }
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Temperature::series("sf").register(&mut builder);
        Temperature::series("lab")
            .with_buffer(BufferKind::Ring(8))
            .with_retention(Retention::Milliseconds(1_000))
            .register(&mut builder);
        Door::register(&mut builder);
        Gauge::register(&mut builder);
        builder.configure::<Reading>("plain", |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 8 })
                .persist("plain");
        });
        let db = aimdb::build(builder).await;
        for at in [10, 20, 30] {
            aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
            aimdb::produce(&db, "door", Door { open: true }).await;
        }
        db.flush_persistence().await.unwrap();

        let series = db.persisted_series().await.unwrap();
        let keys: Vec<&str> = series.iter().map(|series| &*series.record_name).collect();
        assert_eq!(
            keys,
            [
                "door",
                "gauge",
                "plain",
                "temperature.lab",
                "temperature.sf"
            ]
        );
        let [door, gauge, plain, lab, sf] = &series[..] else {
            unreachable!()
        };

        assert!(door.type_name.ends_with("::Door"), "{}", door.type_name);
        assert_eq!((door.template, door.version), (Some("door"), 2));
        assert_eq!(door.policy, Policy::new().on_change());
        assert_eq!(door.buffer, Some(BufferKind::Latest));
        assert_eq!(door.retention, Retention::Milliseconds(30 * 86_400_000));
        assert_eq!(
            (door.counts.produced, door.counts.stored, door.rows),
            (3, 1, 1)
        );

        assert_eq!(gauge.buffer, Some(BufferKind::default()));
        assert_eq!(gauge.policy, Policy::new());
        assert_eq!((gauge.version, plain.version), (1, 1));

        assert!(plain.type_name.ends_with("::Reading"), "{plain:?}");
        assert_eq!((plain.template, plain.buffer), (None, None));
        assert_eq!(plain.retention, Retention::Forever);
        assert_eq!((plain.rows, plain.extent_ms), (0, None));

        assert_eq!(lab.buffer, Some(BufferKind::Ring(8)));
        assert_eq!(lab.retention, Retention::Milliseconds(1_000));

        assert_eq!((sf.rows, sf.extent_ms), (5, Some((5, 30))));
        assert_eq!(sf.template, Some("temperature.{station}"));
        assert_eq!((sf.counts.stored, &sf.problem), (3, &None));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_recorded_is_listed_with_the_reason_and_its_rows_of_earlier_runs() {
    on_every_backend(async |backend| {
        let earlier = json!({ "celsius": 1.0, "at": 5 });
        backend.store("temperature.sf", &earlier, 5).await.unwrap();
        let contradiction = Policy::new()
            .on_change()
            .min_interval_ms(10, aimdb_persistence::Keep::First)
            .max_silence_ms(5);
        let mut builder = aimdb::builder().with_persistence(backend, Duration::MAX);
        Temperature::series("sf")
            .with_policy(contradiction)
            .register(&mut builder);
        let db = aimdb::build(builder).await;
        let series = db.persisted_series().await.unwrap();
        assert!(series[0].problem.is_some(), "{series:?}");
        assert_eq!((series[0].rows, series[0].extent_ms), (1, Some((5, 5))));
    })
    .await;
}

#[tokio::test]
async fn without_a_history_there_is_nothing_to_list() {
    let mut builder = aimdb::builder();
    Temperature::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    let error = db.persisted_series().await.unwrap_err();
    assert!(matches!(
        error,
        aimdb_persistence::PersistenceError::NotConfigured
    ));
}
