//! What is stored and will not come back as it was: it is stored, and told once for each variant of a type.

use std::collections::HashSet;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceEvent, PersistenceOptions,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::FOREVER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::aimdb;

/// Serde takes the first variant that fits: a `Fine` is read as a `Coarse`.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "ambiguous.{id}")]
#[serde(untagged)]
enum Ambiguous {
    Coarse { value: u32 },
    Fine { value: u32, digits: u32 },
    Text(String),
}

/// Of another crate, as far as the macro can see: it does not read what it writes.
#[derive(Clone, Debug)]
struct Broken(f64);

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for Broken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "broken")]
struct OfAnotherCrate {
    value: Broken,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "panicking")]
struct Panicking {
    #[serde(deserialize_with = "panics")]
    value: u8,
}

fn panics<'de, D: Deserializer<'de>>(_: D) -> Result<u8, D::Error> {
    panic!("on purpose")
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "sound")]
struct Sound {
    tags: HashSet<String>,
    value: Option<f32>,
    label: String,
}

fn told(events: &Events) -> Vec<(String, String)> {
    let told = events.all().into_iter().filter_map(|event| match event {
        PersistenceEvent::ReadsBackDifferently {
            record_name,
            reason,
            ..
        } => Some((record_name, reason)),
        _ => None,
    });
    told.collect()
}

#[tokio::test]
async fn a_value_that_is_read_as_another_one_is_stored_and_told_once_for_its_variant() {
    on_every_backend(async |backend| {
        let events = Events::new();
        let options = PersistenceOptions::new(backend.clone(), FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        for id in ["a", "b"] {
            Ambiguous::series(id).register(&mut builder);
        }
        let db = aimdb::build(builder).await;
        for id in ["a", "b"] {
            let key = format!("ambiguous.{id}");
            for value in [
                Ambiguous::Coarse { value: 1 },
                Ambiguous::Fine {
                    value: 1,
                    digits: 2,
                },
                Ambiguous::Fine {
                    value: 1,
                    digits: 3,
                },
                Ambiguous::Text("1".into()),
            ] {
                aimdb::produce(&db, &key, value).await;
            }
            db.flush_persistence().await.unwrap();
        }
        let total = db.persistence_stats().unwrap().total;
        assert_eq!((total.produced, total.stored), (8, 8));
        let told = told(&events);
        let [(record_name, reason)] = &told[..] else {
            panic!("told once, not {told:?}")
        };
        assert_eq!(record_name, "ambiguous.a");
        assert_eq!(
            reason,
            r#"{"value":1,"digits":2} comes back as {"value":1}"#
        );
    })
    .await;
}

#[tokio::test]
async fn a_value_that_does_not_decode_is_stored_and_told_and_so_is_one_whose_decoding_panics() {
    on_every_backend(async |backend| {
        let events = Events::new();
        let options = PersistenceOptions::new(backend.clone(), FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        OfAnotherCrate::register(&mut builder);
        Panicking::register(&mut builder);
        let db = aimdb::build(builder).await;
        aimdb::produce(&db, "broken", OfAnotherCrate { value: Broken(1.5) }).await;
        aimdb::produce(&db, "panicking", Panicking { value: 1 }).await;
        db.flush_persistence().await.unwrap();
        // Values that do not come through AimDB are tried as well, and were here.
        OfAnotherCrate::series()
            .store(&db, &OfAnotherCrate { value: Broken(2.5) })
            .await
            .unwrap();
        assert_eq!(db.persistence_stats().unwrap().total.stored, 3);
        let mut told = told(&events);
        told.sort();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].1.starts_with("it does not decode: "),
            "{}",
            told[0].1
        );
        assert_eq!(told[1].1, "reading it panics");
    })
    .await;
}

#[tokio::test]
async fn of_a_value_that_comes_back_nothing_is_told() {
    on_every_backend(async |backend| {
        let events = Events::new();
        let options = PersistenceOptions::new(backend.clone(), FOREVER).on_event(events.listener());
        let mut builder = aimdb::builder().with_persistence_options(options);
        Sound::register(&mut builder);
        let db = aimdb::build(builder).await;
        let tags = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
        let sound = Sound {
            tags: tags.into(),
            value: Some(0.1),
            label: "é".into(),
        };
        aimdb::produce(&db, "sound", sound).await;
        db.flush_persistence().await.unwrap();
        assert_eq!(told(&events), []);
    })
    .await;
}
