//! Types of other crates, whose history a local marker declares.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Declared, Field, MemoryBackend, Persist,
    PersistenceBackend, PersistenceEvent, PersistenceOptions, RecordRegistrarPersistExt,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::contracts;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::FOREVER;
use serde::Deserialize;

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

#[derive(Persist)]
#[persist(
    for = "contracts::Temperature",
    key = "temperature.{station}",
    buffer = "ring(65536)",
    retention = "forever"
)]
#[serde(rename_all = "camelCase")]
struct TemperatureHistory {
    #[persist(deadband = 0.5, unit = "°C")]
    air_celsius: f64,
    #[persist(timestamp = "s")]
    measured_at: u32,
}

#[derive(Persist)]
#[persist(
    for = "contracts::Pressure",
    key = "pressure.boiler",
    buffer = "ring(65536)"
)]
struct PressureHistory {
    #[persist(getter = "contracts::Pressure::bar")]
    bar: f64,
    #[persist(timestamp, getter = "contracts::Pressure::at")]
    at: u64,
}

#[derive(Persist)]
#[persist(
    for = "contracts::Door",
    key = "door.{id}",
    on_change,
    buffer = "ring(65536)"
)]
#[serde(tag = "type")]
#[non_exhaustive]
enum DoorHistory {
    Opened {
        #[persist(ignore)]
        by: String,
        #[persist(timestamp)]
        at: u64,
    },
    Closed {
        #[persist(timestamp)]
        at: u64,
    },
}

#[derive(Persist)]
#[persist(
    for = "contracts::Power<f64>",
    key = "power",
    restore,
    on_duplicate = "replace"
)]
struct PowerHistory(f64, #[persist(timestamp)] u64);

/// Nothing is said of its fields.
#[derive(Persist)]
#[persist(
    for = "contracts::Temperature",
    key = "raw.{station}",
    buffer = "ring(65536)",
    on_change
)]
struct RawTemperature;

fn temperature(air_celsius: f64, measured_at: u32) -> contracts::Temperature {
    contracts::Temperature {
        air_celsius,
        place: None,
        measured_at,
    }
}

async fn close(db: &aimdb::Db) {
    let report = db.close_persistence(Duration::from_secs(60)).await.unwrap();
    assert!(report.complete, "{report:?}");
}

#[tokio::test]
async fn a_marker_records_and_answers_values_of_another_crate_by_their_event_time() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        TemperatureHistory::series("sf").register(&mut builder);
        TemperatureHistory::series("lab").register(&mut builder);
        let db = aimdb::build(builder).await;
        // The second has not moved by half a degree.
        for (celsius, at) in [(20.0, 10), (20.4, 20), (21.0, 30)] {
            aimdb::produce(&db, "temperature.sf", temperature(celsius, at)).await;
        }
        aimdb::produce(&db, "temperature.lab", temperature(5.0, 40)).await;
        db.flush_persistence().await.unwrap();

        let newest = TemperatureHistory::query_latest(&db, 1).await.unwrap();
        assert_eq!(newest, [temperature(5.0, 40), temperature(21.0, 30)]);
        let range = TemperatureHistory::query_range(&db, 10_000, 30_000, None).await;
        assert_eq!(
            range.unwrap(),
            [temperature(21.0, 30), temperature(20.0, 10)]
        );
        let series = TemperatureHistory::series("sf");
        let rows = series.history(&db).oldest(9).rows().await.unwrap();
        let times: Vec<u64> = rows.iter().map(|row| row.stored_at).collect();
        assert_eq!(times, [10_000, 30_000]);

        let celsius: Field<contracts::Temperature, f64> = TemperatureHistory::fields().air_celsius;
        assert_eq!(celsius.to_string(), "airCelsius");
        let warm = TemperatureHistory::history(&db).filter(celsius.ge(10.0));
        assert_eq!(warm.count().await.unwrap(), 2);
        let [declared, ..] = TemperatureHistory::DECLARATION.fields() else {
            panic!("its fields are declared")
        };
        assert_eq!(
            (declared.name(), declared.unit()),
            ("airCelsius", Some("°C"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_marker_reads_private_fields_by_functions_and_registers_its_literal_key() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    PressureHistory::register(&mut builder);
    let db = aimdb::build(builder).await;
    let pressure = contracts::Pressure::new(1.5, 7);
    aimdb::produce(&db, "pressure.boiler", pressure.clone()).await;
    db.flush_persistence().await.unwrap();
    let rows = PressureHistory::history(&db)
        .latest(1)
        .rows()
        .await
        .unwrap();
    assert_eq!((rows[0].stored_at, &rows[0].value), (7, &pressure));
    let bar = PressureHistory::history(&db).filter(PressureHistory::fields().bar.gt(1.0));
    assert_eq!(bar.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_marker_of_an_enum_has_event_times_and_policies_of_its_variants() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        DoorHistory::series(1).register(&mut builder);
        let db = aimdb::build(builder).await;
        let opened = |by: &str, at| contracts::Door::Opened {
            by: by.to_owned(),
            at,
        };
        for door in [
            opened("Ada", 1),
            opened("Bo", 2),
            contracts::Door::Closed { at: 3 },
        ] {
            aimdb::produce(&db, "door.1", door).await;
        }
        db.flush_persistence().await.unwrap();
        let stored = DoorHistory::query_latest(&db, 9).await.unwrap();
        assert_eq!(
            stored,
            [contracts::Door::Closed { at: 3 }, opened("Ada", 1)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_marker_restores_and_stores_past_aimdb() {
    let backend: Arc<dyn PersistenceBackend> = Arc::new(MemoryBackend::new());
    let mut builder = aimdb::builder().with_persistence(backend.clone(), FOREVER);
    PowerHistory::register(&mut builder);
    let db = aimdb::build(builder).await;
    let series = PowerHistory::series();
    let values = [
        contracts::Power(1.0, 7),
        contracts::Power(2.0, 8),
        contracts::Power(3.0, 8),
    ];
    series.store_all(&db, &values).await.unwrap();
    close(&db).await;

    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    PowerHistory::register(&mut builder);
    let db = aimdb::build(builder).await;
    let restored = db.restore_persistence().await.unwrap();
    assert_eq!(restored.series.len(), 1, "{restored:?}");
    let stats = db.persistence_stats().unwrap();
    assert_eq!(stats.total.restored, 1, "{restored:?}");
    let rows = series.query_latest(&db, 9).await.unwrap();
    assert_eq!(rows, [contracts::Power(3.0, 8), contracts::Power(1.0, 7)]);
}

#[tokio::test]
async fn a_marker_records_in_a_closure_and_one_without_fields_has_no_event_time() {
    let mut builder = aimdb::builder().with_persistence(Arc::new(MemoryBackend::new()), FOREVER);
    builder.configure::<contracts::Temperature>("raw.roof", |registrar| {
        RawTemperature::series("roof").persist(registrar);
    });
    let db = aimdb::build(builder).await;
    for at in [1, 1, 2] {
        aimdb::produce(&db, "raw.roof", temperature(20.0, at)).await;
    }
    db.flush_persistence().await.unwrap();
    let rows = RawTemperature::history(&db).oldest(9).rows().await.unwrap();
    assert_eq!(rows.len(), 2, "the same value twice is one row");
    assert!(
        rows[0].stored_at > 1_000_000_000_000,
        "it counts from when it was received"
    );
}

fn misdeclared(events: &Events) -> Vec<(String, String)> {
    let told = events.all().into_iter().filter_map(|event| match event {
        PersistenceEvent::Misdeclared {
            record_name,
            reason,
        } => Some((record_name, reason)),
        _ => None,
    });
    told.collect()
}

#[tokio::test]
async fn a_marker_whose_fields_are_stored_under_other_names_is_reported() {
    #[derive(Persist)]
    #[persist(for = "contracts::Temperature", key = "temperature.{station}")]
    struct WithoutTheNames {
        #[persist(deadband = 0.5)]
        air_celsius: f64,
        place: Option<String>,
    }

    let events = Events::new();
    let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), FOREVER)
        .on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    WithoutTheNames::series("sf").register(&mut builder);
    let db = aimdb::build(builder).await;
    for at in [1, 2] {
        aimdb::produce(&db, "temperature.sf", temperature(20.0, at)).await;
    }
    db.flush_persistence().await.unwrap();
    let told = misdeclared(&events);
    let [(record_name, reason)] = &told[..] else {
        panic!("told once, not {told:?}")
    };
    assert_eq!(record_name, "temperature.sf");
    for part in [
        "`WithoutTheNames`",
        "`air_celsius`",
        "`airCelsius`",
        "rename_all",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
}

#[tokio::test]
async fn a_plain_persist_of_a_type_that_a_marker_declares_is_reported() {
    let events = Events::new();
    let options = PersistenceOptions::new(Arc::new(MemoryBackend::new()), FOREVER)
        .on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    TemperatureHistory::series("sf").register(&mut builder);
    builder.configure::<contracts::Temperature>("roof", |registrar| {
        let registrar = registrar.buffer(BufferCfg::SpmcRing { capacity: 8 });
        registrar.persist("roof");
    });
    let db = aimdb::build(builder).await;
    db.flush_persistence().await.unwrap();
    let _ = db.query_raw("nothing", Default::default()).await.unwrap();
    let told = misdeclared(&events);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "roof");
}

/// The type as it was before.
#[derive(Deserialize)]
struct PowerOfVersion1 {
    watts: f64,
}

impl From<PowerOfVersion1> for contracts::Power<f32> {
    fn from(old: PowerOfVersion1) -> Self {
        Self(old.watts as f32, 0)
    }
}

#[derive(Persist)]
#[persist(
    for = "contracts::Power<f32>",
    key = "power.{of}",
    version = 2,
    migrate(PowerOfVersion1)
)]
struct VersionedPower;

#[tokio::test]
async fn rows_of_an_older_version_are_lifted_to_the_type_of_another_crate() {
    let lifted = VersionedPower::from_stored(1, r#"{"watts":7.5}"#).unwrap();
    assert_eq!(lifted, contracts::Power(7.5_f32, 0));
    let newest = VersionedPower::from_stored(2, "[7.5,1]").unwrap();
    assert_eq!(newest, contracts::Power(7.5_f32, 1));
    assert!(VersionedPower::from_stored(3, "[7.5,1]").is_err());
}
