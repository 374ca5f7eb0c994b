//! Conditions on fields.

use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, Ask, Field, Fields, Persist};
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::times;
use crate::aimdb;
use crate::behaviour::queries::{on_all, two_stations};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "room.{number}", retention = "forever")]
#[serde(rename_all = "camelCase")]
struct Room {
    #[serde(rename = "degrees")]
    celsius: f64,
    people_inside: u32,
    occupied: bool,
    mode: Mode,
    note: Option<String>,
    window: Option<Window>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Heating,
    Cooling,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Fields)]
struct Window {
    facing: String,
    open: bool,
}

#[tokio::test]
async fn a_filter_on_fields_finds_them_by_their_stored_names() {
    on_all(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Room::series(1).register(&mut builder);
        let db = aimdb::build(builder).await;
        let cold = Room {
            celsius: 15.5,
            people_inside: 0,
            occupied: false,
            mode: Mode::Heating,
            note: None,
            window: Some(Window {
                facing: "north".to_owned(),
                open: true,
            }),
        };
        let warm = Room {
            celsius: 24.0,
            people_inside: 3,
            occupied: true,
            mode: Mode::Cooling,
            note: Some("a party".to_owned()),
            window: None,
        };
        for room in [&cold, &warm] {
            aimdb::produce(&db, "room.1", room.clone()).await;
        }
        db.flush_persistence().await.unwrap();

        let fields = Room::fields();
        let window = fields.window.some();
        for (filter, expected) in [
            (fields.celsius.lt(20.0), &cold),
            (fields.people_inside.within(1..), &warm),
            (fields.occupied.is_true(), &warm),
            (fields.mode.eq(Mode::Heating), &cold),
            (fields.mode.is_in([Mode::Cooling]), &warm),
            (fields.note.is_none(), &cold),
            (fields.note.eq("a party"), &warm),
            (fields.note.contains("part"), &warm),
            (fields.window.is_none(), &warm),
            (window.then(Window::fields().open).is_true(), &cold),
            (
                window.then(Window::fields().facing).starts_with("nor"),
                &cold,
            ),
            (!fields.celsius.gt(20.0) & fields.window.is_some(), &cold),
        ] {
            let found = Room::history(&db).filter(filter.clone()).values().await;
            assert_eq!(found.unwrap(), std::slice::from_ref(expected), "{filter:?}");
        }
        let by_hand = db
            .history("room.*")
            .filter(Field::<Value, f64>::at(&["degrees"]).gt(20.0));
        assert_eq!(by_hand.values().await.unwrap()[0]["peopleInside"], 3);
    })
    .await;
}

#[tokio::test]
async fn a_limit_counts_the_rows_that_the_filter_lets_through() {
    on_all(async |backend| {
        let db = two_stations(backend).await;
        let cold = Temperature::history(&db).filter(Temperature::fields().celsius.lt(0.45));
        let rows = cold.clone().latest(2).rows().await.unwrap();
        assert_eq!(
            times(&rows),
            [
                ("temperature.oak", 4),
                ("temperature.oak", 3),
                ("temperature.sf", 4),
                ("temperature.sf", 3)
            ]
        );
        assert_eq!(cold.clone().latest(2).count().await.unwrap(), 4);
        assert_eq!(cold.limit(7).count().await.unwrap(), 7);
    })
    .await;
}
