//! Values that carry their version: each is lifted from that.

use aimdb_persistence::backend::Feature;
use aimdb_persistence::{AimDbQueryExt, Persist, PersistenceEvent};
use aimdb_persistence_tests::backends::on_every_backend;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb;
use crate::behaviour::changing_types::build;

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
