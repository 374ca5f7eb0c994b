//! Buckets by weeks, clocks and calendars; and the times of other crates as bounds.

use std::sync::Arc;

use aimdb_persistence::{
    AimDbBuilderPersistExt, Ask, Field, MemoryBackend, PersistenceBackend, PersistenceError,
    answers::{Bucket, Gaps},
    question::Calendar,
};
use aimdb_persistence_tests::records::FOREVER;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::aimdb;

const V: Field<Value, f64> = Field::at(&[]);
const HOUR_MS: u64 = 3_600_000;

fn ms(time: &str) -> u64 {
    let time: Timestamp = time.parse().unwrap();
    time.as_millisecond() as u64
}

async fn with_rows_at(times: &[u64]) -> aimdb::Db {
    let backend = Arc::new(MemoryBackend::new());
    for time in times {
        backend.store("t", &json!(1), *time).await.unwrap();
    }
    aimdb::build(aimdb::builder().with_persistence(backend, FOREVER)).await
}

/// Where the buckets begin and how many hours each of them has, in order.
fn outline(buckets: &[Bucket]) -> Vec<(String, f64)> {
    let start = |bucket: &Bucket| {
        Timestamp::from_millisecond(bucket.start_ms as i64)
            .unwrap()
            .to_string()
    };
    let hours = |bucket: &Bucket| (bucket.end_ms - bucket.start_ms) as f64 / HOUR_MS as f64;
    buckets
        .iter()
        .map(|bucket| (start(bucket), hours(bucket)))
        .collect()
}

fn counts(buckets: &[Bucket]) -> Vec<u64> {
    buckets
        .iter()
        .map(|bucket| bucket.summary.count())
        .collect()
}

fn expect(buckets: &[Bucket], expected: &[(&str, f64)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(start, hours)| (format!("{start}:00Z"), *hours))
        .collect();
    assert_eq!(outline(buckets), expected);
}

#[tokio::test]
async fn weeks_begin_on_monday() {
    // A Sunday and the Monday after it.
    let db = with_rows_at(&[ms("2024-03-10T23:59:00Z"), ms("2024-03-11T00:00:00Z")]).await;
    let weeks = db
        .history("t")
        .aggregate(V)
        .every("1w")
        .per_series()
        .await
        .unwrap();
    expect(
        &weeks,
        &[("2024-03-04T00:00", 168.0), ("2024-03-11T00:00", 168.0)],
    );
    let fortnights = db
        .history("t")
        .aggregate(V)
        .every("14d")
        .per_series()
        .await
        .unwrap();
    assert!(outline(&fortnights)[0].0.starts_with("2024-03-04") || fortnights.len() == 1);
}

#[tokio::test]
async fn hours_and_days_follow_an_offset() {
    let db = with_rows_at(&[ms("2024-03-10T18:20:00Z")]).await;
    let of = || db.history("t").aggregate(V);
    let days = of()
        .every("1d")
        .utc_offset_minutes(-5 * 60)
        .per_series()
        .await
        .unwrap();
    expect(&days, &[("2024-03-10T05:00", 24.0)]);
    let hours = of()
        .every("1h")
        .utc_offset_minutes(5 * 60 + 45)
        .per_series()
        .await
        .unwrap();
    expect(&hours, &[("2024-03-10T18:15", 1.0)]);
    let weeks = of()
        .every("1w")
        .utc_offset_minutes(60)
        .per_series()
        .await
        .unwrap();
    expect(&weeks, &[("2024-03-03T23:00", 168.0)]);
}

#[tokio::test]
async fn hours_and_days_follow_the_clocks_of_a_time_zone() {
    // Clocks are put forward at 2 on 2024-03-10, and back at 2 on 2024-11-03.
    let new_york = || TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
    let day = |date: &str| ms(&format!("{date}T12:00:00Z"));
    let db = with_rows_at(&[day("2024-03-10"), day("2024-11-03")]).await;
    let of = || db.history("t").aggregate(V);
    let days = of()
        .every("1d")
        .time_zone(new_york())
        .per_series()
        .await
        .unwrap();
    expect(
        &days,
        &[("2024-03-10T05:00", 23.0), ("2024-11-03T04:00", 25.0)],
    );
    let march = db
        .history("t")
        .between(ms("2024-03-10T05:00:00Z"), ms("2024-03-11T03:59:00Z"));
    let quarters = march
        .aggregate(V)
        .every("6h")
        .gaps(Gaps::Null)
        .time_zone(new_york());
    expect(
        &quarters.per_series().await.unwrap(),
        &[
            ("2024-03-10T05:00", 5.0),
            ("2024-03-10T10:00", 6.0),
            ("2024-03-10T16:00", 6.0),
            ("2024-03-10T22:00", 6.0),
        ],
    );
    let november = db
        .history("t")
        .between(ms("2024-11-03T04:00:00Z"), ms("2024-11-03T07:59:00Z"));
    let hours = november
        .aggregate(V)
        .every("1h")
        .gaps(Gaps::Null)
        .time_zone(new_york());
    // The hour from 1 o'clock comes twice, as 05:00 and as 06:00 of UTC.
    let hours_of_utc =
        ["T04:00", "T05:00", "T06:00", "T07:00"].map(|hour| format!("2024-11-03{hour}"));
    let expected: Vec<_> = hours_of_utc.iter().map(|hour| (&**hour, 1.0)).collect();
    expect(&hours.per_series().await.unwrap(), &expected);
    let weeks = of()
        .every("1w")
        .time_zone(new_york())
        .per_series()
        .await
        .unwrap();
    expect(
        &weeks,
        &[("2024-03-04T05:00", 167.0), ("2024-10-28T04:00", 169.0)],
    );
    let twice = of()
        .every("1d")
        .time_zone(new_york())
        .utc_offset_minutes(60);
    let error = twice.per_series().await.unwrap_err();
    assert!(
        matches!(error, PersistenceError::InvalidQuery { .. }),
        "{error}"
    );
    let nowhere = of()
        .every_calendar(Calendar::Day, "Nowhere/Land")
        .per_series()
        .await;
    assert!(matches!(
        nowhere,
        Err(PersistenceError::InvalidQuery { .. })
    ));
}

#[tokio::test]
async fn an_hour_that_comes_twice_across_midnight_lies_in_its_own_day() {
    // In St. John's, clocks were put back at one minute past midnight: it was 23:01 of the day before again.
    let st_johns = || TimeZone::posix("NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01").unwrap();
    // Midnight of the 4th comes at 02:30 and, after the hour from 23:01, at 03:30 of UTC.
    let times = [
        ms("2007-11-04T02:29:00Z"),
        ms("2007-11-04T02:30:30Z"),
        ms("2007-11-04T02:45:00Z"),
        ms("2007-11-04T03:29:00Z"),
        ms("2007-11-04T03:30:00Z"),
    ];
    let db = with_rows_at(&times).await;
    let of = || db.history("t").aggregate(V);
    let days = of()
        .every_calendar(Calendar::Day, st_johns())
        .per_series()
        .await
        .unwrap();
    expect(
        &days,
        &[("2007-11-03T02:30", 25.0), ("2007-11-04T03:30", 24.0)],
    );
    assert_eq!(counts(&days), [4, 1]);
    let days = of()
        .every("1d")
        .time_zone(st_johns())
        .per_series()
        .await
        .unwrap();
    assert_eq!(counts(&days), [4, 1]);
}

#[tokio::test]
async fn a_day_whose_first_hour_comes_twice_or_not_at_all_begins_with_it() {
    // In Havana, clocks are put back at 1 to midnight, and forward at midnight to 1.
    let havana = || TimeZone::posix("CST5CDT,M3.2.0/0,M11.1.0/1").unwrap();
    let times = [
        ms("2024-11-03T03:59:00Z"),
        ms("2024-11-03T04:30:00Z"),
        ms("2024-11-03T05:30:00Z"),
    ];
    let db = with_rows_at(&times).await;
    let days = db
        .history("t")
        .aggregate(V)
        .every_calendar(Calendar::Day, havana());
    let days = days.per_series().await.unwrap();
    expect(
        &days,
        &[("2024-11-02T04:00", 24.0), ("2024-11-03T04:00", 25.0)],
    );
    assert_eq!(counts(&days), [1, 2]);
    let db = with_rows_at(&[ms("2024-03-10T04:59:00Z"), ms("2024-03-10T05:00:00Z")]).await;
    let days = db
        .history("t")
        .aggregate(V)
        .every_calendar(Calendar::Day, havana());
    let days = days.per_series().await.unwrap();
    expect(
        &days,
        &[("2024-03-09T05:00", 24.0), ("2024-03-10T05:00", 23.0)],
    );
}

#[tokio::test]
async fn bounds_may_be_times_of_other_crates() {
    let noon = ms("2024-03-10T12:00:00Z");
    let db = with_rows_at(&[noon - 1, noon, noon + 1]).await;
    let since = async |history: aimdb_persistence::History<Value>| history.count().await.unwrap();
    let jiff = Timestamp::from_millisecond(noon as i64).unwrap();
    let chrono = chrono::DateTime::from_timestamp_millis(noon as i64).unwrap();
    let time = time::OffsetDateTime::from_unix_timestamp(noon as i64 / 1_000).unwrap();
    let borrowed = (&chrono, &time);
    for history in [
        db.history("t").since(jiff),
        db.history("t").since(jiff.to_zoned_datetime(TimeZone::UTC)),
        db.history("t").since(chrono),
        db.history("t").since(chrono.fixed_offset()),
        db.history("t").since(time),
        db.history("t").since(time::UtcDateTime::from(time)),
        db.history("t").until(borrowed.0),
        db.history("t").until(borrowed.1),
    ] {
        assert_eq!(since(history).await, 2);
    }
}
