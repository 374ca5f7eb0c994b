//! Answers that were worked out by hand, from questions as users ask them.

use std::time::Duration;

use aimdb_persistence_backend::internal::Subject;
use serde_json::{Value, json};

use crate::conformance::questions::history;
use crate::time::now_ms;
use crate::{Bucket, Field, Gaps, History, Summary};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// 2023-11-15 00:00 UTC.
const MIDNIGHT_MS: u64 = 1_700_006_400_000;
const V: Field<Value, f64> = Field::at(&[]);

/// Stores a value so many hours before or after a midnight.
async fn at(subject: &Subject, record_name: &str, hours: i64, value: impl Into<Value>) {
    subject.store(record_name, hour(hours), value).await;
}

fn hour(hours: i64) -> u64 {
    MIDNIGHT_MS.saturating_add_signed(hours * HOUR_MS as i64)
}

async fn sum(history: History<Value>) -> Summary {
    let summary = history.aggregate(V).combined().await;
    summary.expect("numbers can be summed up")
}

fn increases(buckets: &[Bucket]) -> Vec<Option<f64>> {
    buckets
        .iter()
        .map(|bucket| bucket.summary.increase())
        .collect()
}

/// Each state with its hours, and the hours that are known of those asked for.
async fn hours(history: History<Value>) -> Vec<(Value, u64, u64, u64)> {
    let states = history
        .time_in_states(V)
        .await
        .expect("states can be found");
    let in_hours = |ms: u64| ms / HOUR_MS;
    let states = states.into_iter();
    states
        .map(|s| {
            (
                s.state,
                in_hours(s.total_ms),
                in_hours(s.known_ms),
                in_hours(s.range_ms),
            )
        })
        .collect()
}

pub(crate) async fn a_door_stays_as_it_is_until_it_is_moved(subject: Subject) {
    at(&subject, "door.1", -30, true).await;
    at(&subject, "door.1", -20, false).await;
    at(&subject, "door.1", -5, true).await;
    at(&subject, "door.2", -72, true).await;
    let day = |door| history(&subject, door).between(hour(-24), hour(0));
    assert_eq!(
        hours(day("door.1")).await,
        [(json!(false), 15, 24, 24), (json!(true), 9, 24, 24)],
        "it was open for the first four hours and the last five"
    );
    assert_eq!(
        hours(day("door.2")).await,
        [(json!(true), 24, 24, 24)],
        "what was opened three days ago and never since is open"
    );
    assert_eq!(
        hours(day("door.2").holds("72h")).await,
        [(json!(true), 24, 24, 24)],
        "it holds for as long as is said"
    );
    assert_eq!(
        hours(day("door.2").holds("60h")).await,
        [(json!(true), 12, 12, 24)],
        "and no longer"
    );
    let runs = day("door.1").changes().await.expect("runs can be found");
    let runs: Vec<_> = runs
        .into_iter()
        .map(|run| (run.start_ms, run.end_ms, run.rows, run.value))
        .collect();
    assert_eq!(
        runs,
        [
            (hour(-24), hour(-20), 0, json!(true)),
            (hour(-20), hour(-5), 1, json!(false)),
            (hour(-5), hour(0), 1, json!(true)),
        ],
        "a run ends where the next begins, and the last one with the range"
    );
}

pub(crate) async fn a_range_ends_at_its_bound_or_now_or_with_the_newest_row(subject: Subject) {
    let now = now_ms();
    let ago = |hours: u64| now - hours * HOUR_MS;
    subject.store("door", ago(1), true).await;
    let length_ms =
        |states: Vec<crate::TimeInState>| states.iter().map(|state| state.total_ms).sum::<u64>();
    let of = async |history: History<Value>| {
        let before = now_ms();
        let states = history
            .time_in_states(V)
            .await
            .expect("states can be found");
        (length_ms(states), now_ms() - before)
    };
    let (today, took) = of(history(&subject, "door").between(ago(10), now + 14 * HOUR_MS)).await;
    let (since, since_took) = of(history(&subject, "door").since(ago(10))).await;
    for (found, took) in [(today, took), (since, since_took)] {
        // The clock went on since the row's time was taken.
        assert!(
            found >= HOUR_MS && found <= now_ms() - ago(1) + took,
            "it is open until now, not for {found} ms"
        );
    }
    let (until, _) = of(history(&subject, "door").until(ago(1) + 1_000)).await;
    assert_eq!(until, 1_000, "a range ends at its bound");
    let (all, _) = of(history(&subject, "door")).await;
    assert_eq!(all, 0, "without bounds it ends with the newest row");
    subject.store("door", now + 2 * HOUR_MS, false).await;
    let ahead = history(&subject, "door").between(ago(10), now + 14 * HOUR_MS);
    assert_eq!(
        of(ahead).await.0,
        3 * HOUR_MS,
        "with a row ahead of now it ends there"
    );
    let (until, _) = of(history(&subject, "door").until(ago(1) + 1_000)).await;
    assert_eq!(until, 1_000, "whatever comes after it");
}

pub(crate) async fn a_mean_over_time_weighs_every_number_by_its_time(subject: Subject) {
    at(&subject, "heating", -24, 100).await;
    at(&subject, "heating", 18, 0).await;
    let day = sum(history(&subject, "heating").between(hour(0), hour(24))).await;
    assert_eq!(
        (day.step_mean(), day.known_ms()),
        (Some(75.0), DAY_MS),
        "100 for 18 h, then 0 for 6 h"
    );
    assert_eq!(
        (day.count(), day.mean(), day.max()),
        (1, Some(0.0), Some(0.0)),
        "of the range's own row"
    );
    let held = history(&subject, "heating")
        .between(hour(0), hour(24))
        .aggregate(V)
        .in_force();
    let held = held.combined().await.expect("numbers can be summed up");
    assert_eq!(
        (held.count(), held.max()),
        (1, Some(100.0)),
        "with what was in force among the extremes"
    );

    at(&subject, "level", -30, 10).await;
    at(&subject, "level", -20, 20).await;
    at(&subject, "level", -5, 40).await;
    let day = sum(history(&subject, "level").between(hour(-24), hour(0))).await;
    assert_eq!(
        day.step_mean(),
        Some(22.5),
        "10 for 4 h, 20 for 15 h, 40 for 5 h"
    );
    // From 16 to 20 in 4 h, and from 20 to 40 in 15 h; behind the last row there is no line.
    assert_eq!(day.linear_known_ms(), 19 * HOUR_MS);
    let mean = day.linear_mean().unwrap_or_default();
    assert!(
        (mean - (18.0 * 4.0 + 30.0 * 15.0) / 19.0).abs() < 1e-12,
        "{mean}"
    );

    at(&subject, "power", 0, 1_000).await;
    at(&subject, "power", 1, Value::Null).await;
    at(&subject, "power", 10, 0).await;
    let power = || history(&subject, "power").between(hour(0), hour(11));
    let known = sum(power()).await;
    assert_eq!(known.step_mean(), Some(500.0), "over two known hours");
    assert_eq!(
        (known.known_ms(), known.range_ms()),
        (2 * HOUR_MS, 11 * HOUR_MS)
    );
    subject.store("other", hour(0), 1_000).await;
    subject.store("other", hour(10), 0).await;
    let other = sum(history(&subject, "other")
        .between(hour(0), hour(11))
        .holds("1h"))
    .await;
    assert_eq!(
        (other.step_mean(), other.known_ms()),
        (Some(500.0), 2 * HOUR_MS),
        "by how long a number holds"
    );

    let quiet = sum(history(&subject, "level").between(hour(-4), hour(-1))).await;
    assert_eq!(
        (quiet.count(), quiet.step_mean()),
        (0, Some(40.0)),
        "a range without rows is answered, too"
    );
    let filtered = history(&subject, "level")
        .between(hour(-24), hour(0))
        .filter(V.gt(15.0));
    assert_eq!(
        sum(filtered).await.known_ms(),
        20 * HOUR_MS,
        "a row that is left out is not in force"
    );
}

pub(crate) async fn a_meter_counts_from_the_reading_before(subject: Subject) {
    for hours in 0..=72 {
        at(&subject, "meter.a", hours, hours).await;
        at(&subject, "meter.b", hours, json!(5_000 + 2 * hours)).await;
    }
    let of = |meter| history(&subject, meter).aggregate(V);
    let days = of("meter.a")
        .every("1d")
        .per_series()
        .await
        .expect("days can be summed up");
    assert_eq!(
        increases(&days),
        [Some(23.0), Some(24.0), Some(24.0), Some(1.0)],
        "buckets add up to the whole"
    );
    let whole = of("meter.a")
        .combined()
        .await
        .expect("numbers can be summed up");
    assert_eq!((whole.increase(), whole.delta()), (Some(72.0), Some(72.0)));
    assert_eq!(
        whole.rate("1h").expect("an hour is a length"),
        Some(1.0),
        "1 kWh an hour"
    );
    let both = of("meter.*")
        .combined()
        .await
        .expect("numbers can be summed up");
    assert_eq!(
        (both.increase(), both.delta()),
        (Some(216.0), Some(216.0)),
        "the sum over the meters"
    );
    let second = sum(history(&subject, "meter.a").between(hour(24), hour(48) - 1)).await;
    assert_eq!(
        (second.increase(), second.delta()),
        (Some(24.0), Some(23.0)),
        "from the reading before the day"
    );

    // One reading a day, of which one is missing, and a new meter on the last day.
    for (day, value) in [
        (0, json!(100)),
        (1, json!(110)),
        (2, Value::Null),
        (3, json!(135)),
        (4, json!(7)),
    ] {
        at(&subject, "daily", 24 * day + 6, value).await;
    }
    let days = of("daily")
        .every("1d")
        .gaps(Gaps::Null)
        .per_series()
        .await
        .expect("days can be summed up");
    assert_eq!(
        increases(&days),
        [Some(0.0), Some(10.0), None, Some(25.0), Some(7.0)]
    );
    let last = sum(history(&subject, "daily").since(hour(72)).until(hour(95))).await;
    assert_eq!(
        last.increase(),
        Some(25.0),
        "the reading before is the newest one, not the row without one"
    );
    assert_eq!(sum(history(&subject, "daily")).await.resets(), 1);

    let great = 1_u64 << 60;
    subject.store("counter", hour(0), great + 1).await;
    subject.store("counter", hour(1), great + 4).await;
    let counter = sum(history(&subject, "counter")).await;
    assert_eq!(
        (counter.increase(), counter.delta()),
        (Some(3.0), Some(3.0)),
        "beyond 2^53, exactly"
    );
    let whole = counter.in_whole_numbers().expect("they are whole");
    assert_eq!(whole.sum, 2 * i128::from(great) + 5);
    assert_eq!(
        counter.max_sample().and_then(|max| max.whole),
        Some(i128::from(great) + 4)
    );
}

pub(crate) async fn numbers_beyond_all_floats_are_told_apart(subject: Subject) {
    let great = 1_i128 << 62;
    for n in 0..3 {
        let number = great + n;
        subject.store("n", n as u64, json!(number as u64)).await;
    }
    let field: Field<Value, i128> = Field::at(&[]);
    for n in 0..3 {
        let found = history(&subject, "n")
            .filter(field.eq(great + n))
            .values()
            .await;
        assert_eq!(
            found.expect("numbers can be compared").len(),
            1,
            "one row has 2^62 + {n}"
        );
    }
    let above = history(&subject, "n").since(1_u64).filter(field.ge(great));
    assert_eq!(above.count().await.expect("rows can be counted"), 2);
}

pub(crate) async fn gaps_are_filled_from_the_rows_around_the_range(subject: Subject) {
    at(&subject, "t", -1, 10).await;
    at(&subject, "t", 3, 30).await;
    let between = |gaps| {
        let range = history(&subject, "t")
            .between(hour(0), hour(2))
            .aggregate(V);
        range
            .every(Duration::from_secs(3_600))
            .gaps(gaps)
            .per_series()
    };
    let means = async |gaps| {
        let buckets = between(gaps).await.expect("hours can be summed up");
        let means = buckets
            .iter()
            .map(|bucket| (bucket.summary.mean(), bucket.summary.step_mean()));
        means.collect::<Vec<_>>()
    };
    assert_eq!(means(Gaps::Previous).await, [(Some(10.0), Some(10.0)); 2]);
    // At half past twelve, and at half past one, of four hours from 10 to 30.
    assert_eq!(
        means(Gaps::Linear).await,
        [(Some(17.5), Some(10.0)), (Some(22.5), Some(10.0))]
    );
    assert_eq!(
        means(Gaps::Null).await,
        [(None, Some(10.0)); 2],
        "no row has a number; one is in force"
    );
    assert_eq!(means(Gaps::Skip).await, []);
}

pub(crate) async fn a_variant_that_carries_data_is_a_state_by_its_name(subject: Subject) {
    at(&subject, "valve", 0, json!({ "mode": "Closed" })).await;
    at(
        &subject,
        "valve",
        1,
        json!({ "mode": { "Open": { "by": "Ann" } } }),
    )
    .await;
    at(
        &subject,
        "valve",
        3,
        json!({ "mode": { "Open": { "by": "Bob" } } }),
    )
    .await;
    at(&subject, "valve", 6, json!({ "mode": "Closed" })).await;
    at(&subject, "valve", 10, json!({ "mode": null })).await;
    let mode: Field<Value, Value> = Field::at(&["mode"]);
    let states = history(&subject, "valve")
        .between(hour(2), hour(12))
        .time_in_states(mode)
        .await;
    let states = states.expect("states can be found").into_iter();
    let states: Vec<_> = states
        .map(|s| (s.state, s.total_ms / HOUR_MS, s.times, s.known_ms / HOUR_MS))
        .collect();
    assert_eq!(
        states,
        [(json!("Closed"), 4, 1, 8), (json!("Open"), 4, 0, 8)],
        "whoever has opened it, it is open; nothing is known after a null"
    );
}
