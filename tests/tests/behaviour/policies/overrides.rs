//! What one series has in place of its type's: kept by the file, and swept by.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, PersistenceBackend, Policy, QueryParams, Retention,
};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::{FOREVER, Temperature};

use super::LONG;
use crate::aimdb;

const HOUR_MS: u64 = 3_600_000;
const ROWS: u64 = 10;

async fn run(backend: Arc<dyn PersistenceBackend>) -> aimdb::Db {
    let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
    let keep_three = Policy::new().keep_last(3);
    let young = Temperature::series("young").with_retention(Retention::Milliseconds(HOUR_MS));
    for series in [
        Temperature::series("all"),
        young.clone(),
        Temperature::series("floor")
            .with_retention(Retention::Milliseconds(HOUR_MS))
            .with_policy(keep_three),
        Temperature::series("capped").with_policy(Policy::new().max_rows(4)),
    ] {
        series.register(&mut builder);
    }
    aimdb::build(builder).await
}

async fn rows(backend: &dyn PersistenceBackend) -> Vec<usize> {
    let mut rows = Vec::new();
    for station in ["all", "young", "floor", "capped"] {
        let key = format!("temperature.{station}");
        let of_series = backend.query(&key, QueryParams::default()).await;
        rows.push(of_series.expect("the backend answers").len());
    }
    rows
}

#[tokio::test]
async fn a_series_is_swept_by_its_own_retention_floor_and_cap() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let old = u64::try_from(now.as_millis()).unwrap() - 2 * HOUR_MS;
    on_every_backend(async |backend| {
        let db = run(backend.clone()).await;
        for station in ["all", "young", "floor", "capped"] {
            let key = format!("temperature.{station}");
            for n in 0..ROWS {
                aimdb::produce(&db, &key, Temperature::at(old + n)).await;
            }
        }
        db.flush_persistence().await.unwrap();
        drop(db);
        // The sweep at the start of the next run.
        let _db = run(backend.clone()).await;
        let begun = Instant::now();
        while rows(&*backend).await != [10, 0, 3, 4] {
            let rows = rows(&*backend).await;
            assert!(begun.elapsed() < LONG, "still not swept: {rows:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}
