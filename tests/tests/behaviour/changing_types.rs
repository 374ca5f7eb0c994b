//! Types that change from one program to the next: what no longer fits is told when the database is built.

use std::sync::Arc;

use aimdb_persistence::backend::Feature;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, MemoryBackend, Persist, PersistenceBackend,
    PersistenceEvent, PersistenceOptions, RecordRegistrarPersistExt, Retention,
    declare::encode_key_value,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::FOREVER;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};

/// The program of the day before.
mod before {
    use super::{Deserialize, Persist, Serialize};

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "boiler.{name}")]
    pub(super) struct Boiler {
        pub(super) temp: Option<f64>,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "door.{door}")]
    pub(super) struct Door {
        pub(super) open: bool,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "windows.{floor}.{number}")]
    pub(super) struct Window {
        pub(super) open: bool,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "power.{of}")]
    pub(super) struct Power<T> {
        pub(super) value: T,
    }
}

/// Today's.
mod now {
    use super::{Deserialize, Persist, Serialize};

    /// A field has another name, and the version is the same.
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "boiler.{name}")]
    pub(super) struct Boiler {
        pub(super) celsius: Option<f64>,
    }

    /// The same change, with a version.
    pub(super) mod versioned {
        use super::super::before;
        use super::{Deserialize, Persist, Serialize};

        #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
        #[persist(key = "boiler.{name}", version = 2, migrate(before::Boiler))]
        pub(crate) struct Boiler {
            pub(crate) celsius: Option<f64>,
        }

        impl From<before::Boiler> for Boiler {
            fn from(old: before::Boiler) -> Self {
                Self { celsius: old.temp }
            }
        }
    }

    /// The placeholder has another name.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
    #[persist(key = "door.{id}")]
    pub(super) struct Door {
        pub(super) open: bool,
    }

    /// The key is another.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
    #[persist(key = "window::{floor}::{number}")]
    pub(super) struct Window {
        pub(super) open: bool,
    }
}

/// A database, and what it has told when it has begun to work.
async fn build(
    backend: Arc<dyn PersistenceBackend>,
    register: impl FnOnce(&mut aimdb::Builder),
) -> (aimdb::Db, Events) {
    let events = Events::new();
    let options = PersistenceOptions::new(backend, FOREVER).on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    register(&mut builder);
    let db = aimdb::build(builder).await;
    db.flush_persistence().await.unwrap();
    let _ = db.query_raw("nothing", Default::default()).await.unwrap();
    (db, events)
}

async fn run(
    backend: &Arc<dyn PersistenceBackend>,
    register: impl FnOnce(&mut aimdb::Builder),
    produce: impl AsyncFnOnce(&aimdb::Db),
) {
    let (db, _) = build(backend.clone(), register).await;
    produce(&db).await;
    db.close_persistence(std::time::Duration::from_secs(60))
        .await
        .unwrap();
}

async fn run_before(backend: &Arc<dyn PersistenceBackend>) {
    let register = |builder: &mut aimdb::Builder| {
        before::Boiler::series("a").register(builder);
        for door in ["front", "back"] {
            before::Door::series(door).register(builder);
        }
        before::Window::series(2, 17).register(builder);
        before::Power::<u8>::series("mains").register(builder);
    };
    run(backend, register, async |db| {
        aimdb::produce(db, "boiler.a", before::Boiler { temp: Some(60.0) }).await;
        for door in ["door.front", "door.back"] {
            aimdb::produce(db, door, before::Door { open: true }).await;
        }
        aimdb::produce(db, "windows.2.17", before::Window { open: true }).await;
        aimdb::produce(db, "power.mains", before::Power { value: 7_u8 }).await;
    })
    .await;
}

fn schema_changes(events: &Events) -> Vec<(String, String)> {
    let changes = events.all().into_iter().filter_map(|event| match event {
        PersistenceEvent::SchemaChanged {
            record_name,
            reason,
        } => Some((record_name, reason)),
        _ => None,
    });
    changes.collect()
}

fn orphans(events: &Events) -> Vec<(String, usize, String)> {
    let orphans = events.all().into_iter().filter_map(|event| match event {
        PersistenceEvent::Orphaned {
            record_name,
            series,
            reason,
        } => Some((record_name, series, reason)),
        _ => None,
    });
    orphans.collect()
}

async fn on_backends_that_keep_declarations(test: impl AsyncFn(Arc<dyn PersistenceBackend>)) {
    on_every_backend(async |backend| {
        if backend.supports(Feature::Declarations) {
            test(backend).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_struct_that_has_changed_without_a_version_is_told_with_its_fields() {
    on_backends_that_keep_declarations(async |backend| {
        run_before(&backend).await;
        let (db, events) = build(backend.clone(), |b| now::Boiler::series("a").register(b)).await;
        let changes = schema_changes(&events);
        let [(record_name, reason)] = &changes[..] else {
            panic!("told once, not {changes:?}")
        };
        assert_eq!(record_name, "boiler.a");
        for part in [
            "no longer `temp` (float)",
            "now `celsius` (float)",
            "version = 2",
        ] {
            assert!(reason.contains(part), "{reason}");
        }
        drop(db);
        let (_db, events) = build(backend, |b| now::Boiler::series("a").register(b)).await;
        assert_eq!(
            schema_changes(&events),
            [],
            "the change was told, and is the file's by now"
        );
    })
    .await;
}

#[tokio::test]
async fn a_struct_that_has_changed_with_a_version_or_not_at_all_is_not_told() {
    on_backends_that_keep_declarations(async |backend| {
        run_before(&backend).await;
        let (db, events) =
            build(backend.clone(), |b| before::Boiler::series("a").register(b)).await;
        assert_eq!(schema_changes(&events), []);
        drop(db);
        let register = |b: &mut aimdb::Builder| now::versioned::Boiler::series("a").register(b);
        let (db, events) = build(backend, register).await;
        assert_eq!(schema_changes(&events), []);
        let newest = now::versioned::Boiler::query_latest(&db, 1).await.unwrap();
        assert_eq!(newest[0].celsius, Some(60.0));
    })
    .await;
}

#[tokio::test]
async fn series_that_a_renamed_placeholder_has_lost_are_told_with_the_call_that_mends_it() {
    on_backends_that_keep_declarations(async |backend| {
        run_before(&backend).await;
        let (db, events) = build(backend, |b| now::Door::series("garage").register(b)).await;
        assert_eq!(
            now::Door::query_latest(&db, 9).await.unwrap(),
            [],
            "they are of another template"
        );
        let lost = orphans(&events);
        let [(record_name, series, reason)] = &lost[..] else {
            panic!("told once, not {lost:?}")
        };
        assert_eq!((&**record_name, *series), ("door.back", 2));
        assert!(
            reason.contains(r#"`Door::series("back").declare(&db)`"#),
            "{reason}"
        );
        for door in ["back", "front"] {
            now::Door::series(door).declare(&db).await.unwrap();
        }
        assert_eq!(now::Door::query_latest(&db, 9).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn series_that_a_changed_key_has_lost_are_told_with_the_call_that_mends_it() {
    on_backends_that_keep_declarations(async |backend| {
        run_before(&backend).await;
        let (db, events) = build(backend.clone(), |b| now::Window::series(1, 1).register(b)).await;
        let lost = orphans(&events);
        let [(record_name, 1, reason)] = &lost[..] else {
            panic!("told once, not {lost:?}")
        };
        assert_eq!(record_name, "windows.2.17");
        let call = r#"`db.rename_series("windows.2.17", "window::2::17")`"#;
        assert!(reason.contains(call), "{reason}");
        db.rename_series("windows.2.17", "window::2::17")
            .await
            .unwrap();
        now::Window::series(2, 17).declare(&db).await.unwrap();
        assert_eq!(
            now::Window::query_latest(&db, 9).await.unwrap(),
            [now::Window { open: true }]
        );
        drop(db);
        let (_db, events) = build(backend, |b| now::Window::series(1, 1).register(b)).await;
        assert_eq!(
            orphans(&events),
            [],
            "of the old key there are no rows any more"
        );
    })
    .await;
}

#[tokio::test]
async fn another_instance_of_a_generic_type_under_the_same_key_is_told() {
    on_backends_that_keep_declarations(async |backend| {
        run_before(&backend).await;
        let register = |b: &mut aimdb::Builder| before::Power::<f64>::series("solar").register(b);
        let (_db, events) = build(backend, register).await;
        let changes = schema_changes(&events);
        let [(record_name, reason)] = &changes[..] else {
            panic!("told once, not {changes:?}")
        };
        assert_eq!(record_name, "power.mains");
        assert!(
            reason.contains("`Power<u8>`") && reason.contains("`Power<f64>`"),
            "{reason}"
        );
    })
    .await;
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
async fn a_record_that_is_persisted_by_its_name_though_its_type_declares_more_is_told() {
    on_every_backend(async |backend| {
        let plain = |builder: &mut aimdb::Builder| {
            builder.configure::<now::Door>("door.plain", |reg| {
                reg.buffer(BufferCfg::SpmcRing { capacity: 16 })
                    .persist("door.plain");
            });
        };
        let with_another = |builder: &mut aimdb::Builder| {
            plain(builder);
            now::Door::series("garage").register(builder);
        };
        let (_db, events) = build(backend.clone(), with_another).await;
        let [(record_name, reason)] = &misdeclared(&events)[..] else {
            panic!("told once when it is built, not {:?}", events.all())
        };
        assert_eq!(record_name, "door.plain");
        assert!(reason.contains("`Series::persist`"), "{reason}");

        // Nothing else declares the type: the first question does.
        let (db, events) = build(backend, plain).await;
        assert_eq!(misdeclared(&events), []);
        for _ in 0..2 {
            now::Door::query_latest(&db, 1).await.unwrap();
        }
        assert_eq!(misdeclared(&events).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_buffer_that_takes_the_place_of_the_declared_one_is_told() {
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "buffered", buffer = "ring(64)")]
    struct Buffered(u8);

    let register = |builder: &mut aimdb::Builder| {
        builder.configure::<Buffered>("buffered", |reg| {
            Buffered::series()
                .persist(reg)
                .buffer(BufferCfg::SingleLatest);
        });
    };
    let (_db, events) = build(Arc::new(MemoryBackend::new()), register).await;
    let told = misdeclared(&events);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.contains("buffer"), "{}", told[0].1);
}

/// What is told where doors of these names are recorded in the closures of these keys.
async fn told_of_doors(
    doors: &[(&'static str, &'static str)],
    tapped: &[&'static str],
) -> Vec<(String, String)> {
    let register = |builder: &mut aimdb::Builder| {
        for (key, name) in doors {
            let series = now::Door::series(name);
            builder.configure::<now::Door>(*key, |reg| {
                series.persist(reg.buffer(BufferCfg::SpmcRing { capacity: 16 }));
            });
        }
        for key in tapped {
            builder.configure::<now::Door>(*key, |reg| {
                reg.buffer(BufferCfg::SpmcRing { capacity: 16 });
            });
        }
        before::Boiler::series("a").register(builder);
    };
    let (_db, events) = build(Arc::new(MemoryBackend::new()), register).await;
    misdeclared(&events)
}

#[tokio::test]
async fn a_series_in_the_closure_of_another_key_is_told_with_that_key() {
    let told = told_of_doors(&[("door.front", "back")], &[]).await;
    let [(record_name, reason)] = &told[..] else {
        panic!("told once, not {told:?}")
    };
    assert_eq!(record_name, "door.back");
    assert!(reason.contains("`door.front`"), "{reason}");
    // Its own record is there as well, and nobody records it.
    let told = told_of_doors(&[("door.front", "back")], &["door.back"]).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.contains("`door.front`"), "{told:?}");
}

#[tokio::test]
async fn two_series_in_the_closures_of_one_another_are_both_told() {
    let told = told_of_doors(&[("door.front", "back"), ("door.back", "front")], &[]).await;
    let mut told: Vec<_> = told
        .iter()
        .map(|(name, reason)| (name.as_str(), reason.contains("`door.front`")))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [("door.back", true), ("door.front", false)]);
    let right = [("door.front", "front"), ("door.back", "back")];
    assert_eq!(told_of_doors(&right, &["door.side"]).await, []);
}

#[tokio::test]
async fn a_series_with_a_buffer_of_its_own_in_the_closure_of_another_key_is_told() {
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "fan.{id}", buffer = "ring(64)")]
    struct Fan(u8);

    let register = |builder: &mut aimdb::Builder| {
        for (key, id) in [("fan.1", 2), ("fan.2", 1), ("fan.3", 3)] {
            builder.configure::<Fan>(key, |reg| {
                Fan::series(id).persist(reg);
            });
        }
    };
    let (_db, events) = build(Arc::new(MemoryBackend::new()), register).await;
    let mut told = misdeclared(&events);
    told.sort();
    let [(first, of_second), (second, of_first)] = &told[..] else {
        panic!("the two that were exchanged, not {told:?}")
    };
    assert_eq!((&**first, &**second), ("fan.1", "fan.2"));
    assert!(
        of_second.contains("`fan.2`") && of_first.contains("`fan.1`"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_renamed_series_leaves_the_live_one_all_that_it_declares() {
    on_backends_that_keep_declarations(async |backend| {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
        #[persist(
            key = "meter.{id}",
            retention = "30d",
            on_duplicate = "replace",
            max_rows = 100
        )]
        struct Meter {
            #[persist(unit = "kWh")]
            kwh: f64,
            #[persist(timestamp)]
            at: u64,
        }

        let (db, _) = build(backend.clone(), |b| Meter::series("hall").register(b)).await;
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = now.as_millis() as u64;
        let meter = |kwh, at| Meter { kwh, at: now + at };
        aimdb::produce(&db, "meter.hall", meter(1.0, 1)).await;
        db.flush_persistence().await.unwrap();
        // The meter was exchanged: its old rows are another one's, and it goes on.
        db.rename_series("meter.hall", "meter.old").await.unwrap();
        for kwh in [2.0, 3.0] {
            aimdb::produce(&db, "meter.hall", meter(kwh, 2)).await;
        }
        db.flush_persistence().await.unwrap();
        let newest = Meter::query_latest(&db, 9).await.unwrap();
        assert_eq!(
            newest,
            [meter(3.0, 2), meter(1.0, 1)],
            "of both, and of one time one"
        );
        let kept = backend
            .declarations(&aimdb_persistence::Pattern::parse("meter.*").unwrap())
            .await
            .unwrap();
        assert_eq!(kept.len(), 2);
        for series in &kept {
            assert_eq!(series.template.as_deref(), Some("meter.{id}"), "{series:?}");
            assert_eq!(
                series.retention,
                Some(Retention::Milliseconds(30 * 86_400_000))
            );
            assert_eq!(series.max_rows, Some(100));
            assert_eq!(series.fields[0].unit.as_deref(), Some("kWh"));
        }
    })
    .await;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(
    key = "contract.{id}",
    version = 3,
    version_field = "schema_version",
    migrate(ContractV1, ContractV2)
)]
struct Contract {
    schema_version: u32,
    kelvin: f64,
}

#[derive(Deserialize)]
struct ContractV1 {
    fahrenheit: f64,
}

#[derive(Deserialize)]
struct ContractV2 {
    celsius: f64,
}

impl TryFrom<ContractV1> for ContractV2 {
    type Error = String;

    fn try_from(old: ContractV1) -> Result<Self, String> {
        if old.fahrenheit < -459.67 {
            return Err(format!("{} °F is colder than anything", old.fahrenheit));
        }
        Ok(Self {
            celsius: (old.fahrenheit - 32.0) / 1.8,
        })
    }
}

impl From<ContractV2> for Contract {
    fn from(old: ContractV2) -> Self {
        Self {
            schema_version: 3,
            kelvin: old.celsius + 273.15,
        }
    }
}

#[tokio::test]
async fn rows_that_carry_their_version_in_the_value_are_lifted_by_that() {
    on_every_backend(async |backend| {
        if !backend.supports(Feature::SchemaVersions) {
            return;
        }
        // As another program wrote them: without a version beside the value.
        for (at, value) in [
            (1, json!({ "fahrenheit": 212.0 })),
            (2, json!({ "schema_version": 1, "fahrenheit": 32.0 })),
            (3, json!({ "schema_version": 2, "celsius": 0.0 })),
            (4, json!({ "schema_version": 3, "kelvin": 1.0 })),
            (5, json!({ "schema_version": 4, "planck": 1.0 })),
            (6, json!({ "schema_version": 1, "fahrenheit": -1_000.0 })),
        ] {
            backend.store("contract.a", &value, at).await.unwrap();
        }
        let (db, events) = build(backend.clone(), |b| Contract::series("a").register(b)).await;
        let rows = Contract::query_latest(&db, 9).await.unwrap();
        let kelvin: Vec<_> = rows.iter().map(|row| row.kelvin).collect();
        assert_eq!(kelvin, [1.0, 273.15, 273.15, 373.15]);
        assert_eq!(db.persistence_stats().unwrap().undecodable, 2);
        let reason = |event: &PersistenceEvent| {
            matches!(event, PersistenceEvent::Undecodable { reason, .. }
            if reason.contains("colder than anything"))
        };
        assert_eq!(events.count(reason), 1, "{:?}", events.all());
        // Conditions look at the fields of today's version.
        let warm = Contract::history(&db).filter(Contract::fields().kelvin.ge(200.0));
        assert_eq!(warm.count().await.unwrap(), 3);
        aimdb::produce(
            &db,
            "contract.a",
            Contract {
                schema_version: 3,
                kelvin: 5.0,
            },
        )
        .await;
        db.flush_persistence().await.unwrap();
        assert_eq!(Contract::query_latest(&db, 1).await.unwrap()[0].kelvin, 5.0);
    })
    .await;
}

#[tokio::test]
async fn host_names_and_addresses_stand_in_keys_when_they_are_encoded() {
    on_every_backend(async |backend| {
        let hosts = ["gateway.example.org", "10.0.0.7", "fe80::1"];
        let series = hosts.map(|host| now::Door::series(encode_key_value(host)));
        let (db, _) = build(backend, |b| {
            series.iter().for_each(|series| series.register(b))
        })
        .await;
        for series in &series {
            aimdb::produce(&db, series.key(), now::Door { open: true }).await;
        }
        db.flush_persistence().await.unwrap();
        assert_eq!(now::Door::query_latest(&db, 1).await.unwrap().len(), 3);
        assert_eq!(series[1].query_latest(&db, 1).await.unwrap().len(), 1);
    })
    .await;
}
