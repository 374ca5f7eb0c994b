//! Exact sums of large and of decimal numbers, and answers as JSON.

use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Ask, Fields, MemoryBackend, Persist,
};
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aimdb;
use crate::behaviour::queries::{on_all, two_stations};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "account", retention = "forever")]
struct Account {
    units: i128,
    price: f64,
    totals: Totals,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Fields)]
struct Totals {
    ticks: u128,
}

#[tokio::test]
async fn whole_numbers_of_128_bits_and_decimals_are_summed_and_found_exactly() {
    on_all(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Account::register(&mut builder);
        let db = aimdb::build(builder).await;
        for n in 0..3 {
            let account = Account {
                units: (1 << 60) + n,
                price: 0.1,
                totals: Totals { ticks: 1 << 63 },
            };
            aimdb::produce(&db, "account", account).await;
        }
        db.flush_persistence().await.unwrap();
        let all = || Account::history(&db);
        let fields = Account::fields();
        assert_eq!(
            all()
                .filter(fields.units.eq((1 << 60) + 1))
                .count()
                .await
                .unwrap(),
            1
        );
        assert_eq!(
            all()
                .filter(fields.units.gt(1 << 60))
                .count()
                .await
                .unwrap(),
            2
        );
        let units = all().aggregate(fields.units).combined().await.unwrap();
        let whole = units.in_whole_numbers().unwrap();
        assert_eq!(
            (whole.sum, whole.delta, whole.increase),
            ((3 << 60) + 3, 2, 2)
        );
        assert_eq!(units.standard_deviation(), Some(1.0));
        let price = all().aggregate(fields.price).combined().await.unwrap();
        assert_eq!(
            (price.sum(), price.mean(), price.standard_deviation()),
            (0.3, Some(0.1), Some(0.0))
        );
        let ticks = all().aggregate(fields.totals.then(Totals::fields().ticks));
        let ticks = ticks.combined().await.unwrap();
        assert_eq!(ticks.in_whole_numbers().unwrap().sum, 3 << 63);
    })
    .await;
}

#[tokio::test]
async fn answers_can_be_written_as_json() {
    let db = two_stations(Arc::new(MemoryBackend::new())).await;
    let celsius = Temperature::fields().celsius;
    let sf = || Temperature::series("sf").history(&db);
    let summary = sf()
        .aggregate(celsius)
        .percentiles(&[50.0])
        .per_series()
        .await
        .unwrap();
    let summary = serde_json::to_value(&summary).unwrap();
    assert_eq!(summary[0]["record_name"], "temperature.sf");
    assert_eq!(summary[0]["summary"]["count"], 10);
    assert_eq!(
        summary[0]["summary"]["max"],
        json!({ "at_ms": 9, "value": 0.9 })
    );
    assert_eq!(summary[0]["summary"]["percentiles"], json!([[50.0, 0.4]]));
    let buckets = sf()
        .aggregate(celsius)
        .every("1s")
        .per_series()
        .await
        .unwrap();
    assert_eq!(serde_json::to_value(&buckets).unwrap()[0]["end_ms"], 1_000);
    let runs = sf().changes().await.unwrap();
    assert_eq!(
        serde_json::to_value(&runs).unwrap()[0]["value"]["celsius"],
        0.0
    );
    let states = sf().time_in_states(celsius).await.unwrap();
    assert_eq!(serde_json::to_value(&states).unwrap()[0]["known_ms"], 9);
    let rows = sf().latest(1).rows().await.unwrap();
    assert_eq!(serde_json::to_value(&rows).unwrap()[0]["stored_at"], 9);
    let series = sf().series().await.unwrap();
    assert_eq!(serde_json::to_value(&series).unwrap()[0]["last_ms"], 9);
    let declared = db.persisted_series().await.unwrap();
    let declared = serde_json::to_value(&declared).unwrap();
    assert_eq!(declared[0]["retention"], "Forever");
    let stats = db.persistence_stats().unwrap();
    assert_eq!(serde_json::to_value(&stats).unwrap()["total"]["stored"], 20);
    assert!(stats.to_string().contains("temperature.sf"), "{stats}");
    let report = db.close_persistence(Duration::from_secs(10)).await.unwrap();
    assert_eq!(serde_json::to_value(&report).unwrap()["complete"], true);
}
