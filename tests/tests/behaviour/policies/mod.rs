//! Policies: which values become rows, across restarts and failures, with every value counted.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Deadband, Field, PersistenceBackend, PersistenceOptions,
    Policy, QueryParams, report::Counts,
};
use aimdb_persistence_tests::records::{FOREVER, Temperature};

use crate::aimdb;

mod a_year;
mod counted;
mod failures;
mod intervals;
mod misuse;
mod overrides;
mod persist_with;
mod removed;
mod restart;
mod storing;
mod variants;

pub(crate) const CELSIUS: Field<Temperature, f64> = Field::at(&["celsius"]);
pub(crate) const AT: Field<Temperature, u64> = Field::at(&["at"]);

const LONG: Duration = Duration::from_secs(60);

fn half_a_degree() -> Policy {
    Policy::new().deadband(CELSIUS, Deadband::Absolute(0.5))
}

/// A change of anything but the time.
fn on_change() -> Policy {
    Policy::new().on_change().ignore(AT)
}

fn reading(at: u64, celsius: f64) -> Temperature {
    Temperature { celsius, at }
}

/// A database with the one record `temperature.sf` under this policy.
async fn database(backend: Arc<dyn PersistenceBackend>, policy: Policy) -> aimdb::Db {
    database_with(PersistenceOptions::new(backend, FOREVER), policy).await
}

async fn database_with(options: PersistenceOptions, policy: Policy) -> aimdb::Db {
    let mut builder = aimdb::builder().with_persistence_options(options);
    Temperature::series("sf")
        .with_policy(policy)
        .register(&mut builder);
    aimdb::build(builder).await
}

async fn produce(db: &aimdb::Db, readings: impl IntoIterator<Item = (u64, f64)>) {
    for (at, celsius) in readings {
        aimdb::produce(db, "temperature.sf", reading(at, celsius)).await;
    }
}

/// What the backend holds of `temperature.sf`: times and degrees, oldest first.
async fn rows(backend: &dyn PersistenceBackend) -> Vec<(u64, f64)> {
    let rows = backend.query("temperature.sf", QueryParams::default());
    let rows = rows.await.expect("the backend answers");
    let celsius = |value: &serde_json::Value| value["celsius"].as_f64().expect("a number");
    rows.iter()
        .rev()
        .map(|row| (row.stored_at, celsius(&row.value)))
        .collect()
}

async fn times(backend: &dyn PersistenceBackend) -> Vec<u64> {
    rows(backend).await.into_iter().map(|(at, _)| at).collect()
}

fn counts(db: &aimdb::Db) -> Counts {
    db.persistence_stats().expect("it has a history").total
}

async fn flush(db: &aimdb::Db) {
    db.flush_persistence().await.expect("the backend works");
}
