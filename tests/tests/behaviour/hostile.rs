//! Values, keys, times and questions that nobody would write on purpose: each has an outcome, and harms nothing else.

use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, Persist, QueryParams};
use aimdb_persistence_tests::backends::on_every_backend;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use serde::{Deserialize, Serialize};

use crate::aimdb;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Persist)]
#[persist(key = "image")]
struct Image(String);

#[tokio::test]
async fn values_of_sixteen_megabytes_come_back_as_they_were() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Image::register(&mut builder);
        let db = aimdb::build(builder).await;
        let images = ["a", "é"].map(|text| Image(text.repeat((16 << 20) / text.len())));
        for image in &images {
            aimdb::produce(&db, "image", image.clone()).await;
        }
        db.flush_persistence().await.unwrap();
        let counts = db.persistence_stats().unwrap().total;
        assert_eq!((counts.produced, counts.stored), (2, 2));
        let mut stored = Image::query_latest(&db, 10).await.unwrap();
        stored.reverse();
        assert!(stored == images);
    })
    .await;
}

#[tokio::test]
async fn keys_with_quotes_emoji_and_64_kilobytes_are_recorded_and_asked_for_like_others() {
    on_every_backend(async |backend| {
        let long = "k".repeat(64 << 10);
        let stations = ["it's", "\"; DROP TABLE row; --", "🌡", "%_\\", " ", &long];
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        for station in stations {
            Temperature::series(station).register(&mut builder);
        }
        let db = aimdb::build(builder).await;
        for (at, station) in (0..).zip(stations) {
            let series = Temperature::series(station);
            aimdb::produce(&db, series.key(), Temperature::at(at)).await;
        }
        db.flush_persistence().await.unwrap();
        for (at, station) in (0..).zip(stations) {
            let rows = Temperature::series(station).query_latest(&db, 9).await;
            assert_eq!(rows.unwrap(), [Temperature::at(at)]);
        }
        assert_eq!(
            Temperature::query_latest(&db, 1).await.unwrap().len(),
            stations.len()
        );
    })
    .await;
    assert!(
        Temperature::try_series("nul\0").is_err(),
        "a NUL ends no key, it spoils it"
    );
}

#[tokio::test]
async fn a_clock_that_jumps_a_year_back_and_forth_reorders_and_overwrites_nothing() {
    const YEAR_MS: u64 = 365 * 86_400_000;
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        let series = Temperature::series("sf");
        series.register(&mut builder);
        let db = aimdb::build(builder).await;
        let times: Vec<u64> = (0..200)
            .map(|n| 50 * YEAR_MS + n % 3 * YEAR_MS + n / 20)
            .collect();
        for (n, at) in (0_u64..).zip(&times) {
            let celsius = n as f64;
            aimdb::produce(&db, series.key(), Temperature { celsius, at: *at }).await;
        }
        db.flush_persistence().await.unwrap();
        let mut expected: Vec<(u64, u64)> = times.into_iter().zip(0..).collect();
        expected.sort_unstable_by(|a, b| b.cmp(a));
        let rows = series.query_latest(&db, usize::MAX).await.unwrap();
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.at, row.celsius as u64))
            .collect();
        assert_eq!(
            found, expected,
            "by time, and of one time the last one first"
        );
    })
    .await;
}

#[tokio::test]
async fn hostile_questions_are_answered_or_refused() {
    on_every_backend(async |backend| {
        let mut builder = aimdb::builder().with_persistence(backend, FOREVER);
        Temperature::series("sf").register(&mut builder);
        let db = aimdb::build(builder).await;
        for at in 0..10 {
            aimdb::produce(&db, "temperature.sf", Temperature::at(at)).await;
        }
        db.flush_persistence().await.unwrap();
        let ask = async |pattern: &str, limit_per_record, start_time, end_time| {
            let params = QueryParams {
                limit_per_record,
                start_time,
                end_time,
            };
            db.query_raw(pattern, params).await.map(|rows| rows.len())
        };
        assert_eq!(
            ask("#", Some(usize::MAX), Some(0), Some(u64::MAX))
                .await
                .unwrap(),
            10
        );
        assert_eq!(ask("#", None, Some(7), Some(3)).await.unwrap(), 0);
        assert_eq!(ask("#", None, Some(u64::MAX), Some(0)).await.unwrap(), 0);
        let hashes = vec!["#"; 1_000].join(".");
        assert_eq!(ask(&hashes, None, None, None).await.unwrap(), 10);
        assert_eq!(
            ask(&format!("{hashes}.nothing"), None, None, None)
                .await
                .unwrap(),
            0
        );
        let stars = format!("temperature.{}", "*s".repeat(1_000));
        assert_eq!(ask(&stars, None, None, None).await.unwrap(), 0);
        for malformed in ["a..*", "*\0*.", "a:::*", "a#b", &"*.".repeat(1_000)] {
            assert!(
                ask(malformed, None, None, None).await.is_err(),
                "{malformed:?}"
            );
        }
        let odd = "'; DROP TABLE series; --";
        assert_eq!(ask(odd, None, None, None).await.unwrap(), 0);
        assert_eq!(ask("#", None, None, None).await.unwrap(), 10);
    })
    .await;
}
