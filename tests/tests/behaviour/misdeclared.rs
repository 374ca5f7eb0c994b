//! Records that are recorded otherwise than their type declares are told when the database is built.

use std::sync::Arc;

use aimdb_persistence::{MemoryBackend, Persist, PersistenceEvent, RecordRegistrarPersistExt};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use serde::{Deserialize, Serialize};

use crate::aimdb::{self, BufferCfg, TokioRecordRegistrarExt};
use crate::behaviour::changing_types::{before, build, now};

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
