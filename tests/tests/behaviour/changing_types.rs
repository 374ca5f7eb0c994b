//! Types that change from one program to the next: what no longer fits is told when the database is built.

use std::sync::Arc;

use aimdb_persistence::backend::Feature;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, Persist, PersistenceBackend, PersistenceEvent,
    PersistenceOptions, Retention, declare::encode_key_value,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::FOREVER;
use serde::{Deserialize, Serialize};

use crate::aimdb;

/// The program of the day before.
pub(super) mod before {
    use super::{Deserialize, Persist, Serialize};

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "boiler.{name}")]
    pub(in crate::behaviour) struct Boiler {
        pub(super) temp: Option<f64>,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "door.{door}")]
    pub(in crate::behaviour) struct Door {
        pub(in crate::behaviour) open: bool,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "windows.{floor}.{number}")]
    pub(in crate::behaviour) struct Window {
        pub(in crate::behaviour) open: bool,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "power.{of}")]
    pub(in crate::behaviour) struct Power<T> {
        pub(super) value: T,
    }
}

/// Today's.
pub(super) mod now {
    use super::{Deserialize, Persist, Serialize};

    /// A field has another name, and the version is the same.
    #[derive(Clone, Debug, Serialize, Deserialize, Persist)]
    #[persist(key = "boiler.{name}")]
    pub(in crate::behaviour) struct Boiler {
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
    pub(in crate::behaviour) struct Door {
        pub(in crate::behaviour) open: bool,
    }

    /// The key is another.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
    #[persist(key = "window::{floor}::{number}")]
    pub(in crate::behaviour) struct Window {
        pub(in crate::behaviour) open: bool,
    }
}

/// A database, and what it has told when it has begun to work.
pub(super) async fn build(
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
