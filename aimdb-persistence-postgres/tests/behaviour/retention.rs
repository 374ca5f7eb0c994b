//! Rows that expire: the bound is exact, and partitions drop that lie below all bounds.

use std::time::{SystemTime, UNIX_EPOCH};

use aimdb_persistence::backend::{SeriesDeclaration, SweepReport, SweepRequest};
use aimdb_persistence::{PersistenceBackend, Retention};
use aimdb_persistence_postgres::PostgresBackend;
use tokio_postgres::Client;

use crate::support::{builder, open, rows, scratch, session, values};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

async fn sweep_with(backend: &PostgresBackend, now_ms: u64, default: Retention) -> SweepReport {
    let request = SweepRequest {
        now_ms,
        default_retention: default,
        longest_retention: Retention::Forever,
        max_ahead_ms: DAY_MS,
        clock_is_trusted: true,
    };
    backend.sweep(request).await.unwrap()
}

async fn sweep(backend: &PostgresBackend, now_ms: u64) -> u64 {
    sweep_with(backend, now_ms, Retention::Forever)
        .await
        .removed
}

async fn kept_for(backend: &PostgresBackend, name: &str, length_ms: u64) {
    let declared = SeriesDeclaration::new(name);
    let declared = declared.with_retention(Some(Retention::Milliseconds(length_ms)));
    backend.declare(&[declared]).await.unwrap();
}

/// How many rows a table holds, visible or not.
async fn physical(session: &Client, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    session.query_one(&count, &[]).await.unwrap().get(0)
}

/// What the view shows, oldest first.
async fn viewed(session: &Client) -> Vec<u64> {
    let view = "SELECT stored_at FROM record_history ORDER BY stored_at";
    let found = session.query(view, &[]).await.unwrap();
    found
        .iter()
        .map(|row| row.get::<_, i64>(0).unsigned_abs())
        .collect()
}

#[tokio::test]
async fn the_bound_is_exact_and_partitions_below_it_drop() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    let session = session(&place).await;
    let now = now_ms();
    kept_for(&backend, "a", 12 * HOUR_MS).await;
    kept_for(&backend, "b", DAY_MS).await;
    let hours: Vec<u64> = (0..72).rev().map(|hour| now - hour * HOUR_MS).collect();
    for name in ["a", "b"] {
        backend.store_batch(rows(name, hours.clone())).await;
    }
    assert_eq!(physical(&session, "history_1d").await, 144);
    assert_eq!(physical(&session, "history").await, 0);

    assert_eq!(sweep(&backend, now).await, (72 - 13) + (72 - 25));
    assert_eq!(values(&backend, "a").await.unwrap(), hours[72 - 13..]);
    assert_eq!(values(&backend, "b").await.unwrap(), hours[72 - 25..]);
    let mut shown = [&hours[72 - 13..], &hours[72 - 25..]].concat();
    shown.sort_unstable();
    assert_eq!(viewed(&session).await, shown, "the view has the same bound");
    assert_eq!(
        physical(&session, "history_1d").await,
        144,
        "nothing was deleted"
    );
    assert_eq!(sweep(&backend, now).await, 0);
    // What is not visible any more is neither erased nor cleaned up once more.
    assert_eq!(backend.erase("a", 0, now - 12 * HOUR_MS).await.unwrap(), 1);
    assert_eq!(backend.cleanup(now - 23 * HOUR_MS).await.unwrap(), 1);

    assert_eq!(sweep(&backend, now + 3 * DAY_MS).await, 12 + 24);
    assert_eq!(viewed(&session).await, [0; 0]);
    let width = DAY_MS / 12;
    let left = physical(&session, "history_1d").await;
    let of_now: Vec<_> = hours
        .iter()
        .filter(|at| **at >= now / width * width)
        .collect();
    assert!(
        left <= 2 * of_now.len() as i64,
        "{left} rows are left: the partitions before this one have dropped"
    );
    backend.store_batch(rows("a", [now + 3 * DAY_MS])).await;
    assert_eq!(values(&backend, "a").await.unwrap(), [now + 3 * DAY_MS]);
}

#[tokio::test]
async fn a_row_that_comes_after_the_sweep_of_its_time_is_there_until_the_next_one() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    let session = session(&place).await;
    let now = now_ms();
    kept_for(&backend, "a", DAY_MS).await;
    backend
        .store_batch(rows("a", [now - 5 * DAY_MS, now]))
        .await;
    assert_eq!(sweep(&backend, now + 3 * DAY_MS).await, 2);
    let late = [now - 5 * DAY_MS, now - 4 * DAY_MS, now + HOUR_MS];
    backend.store_batch(rows("a", late)).await;
    assert_eq!(values(&backend, "a").await.unwrap(), late);
    assert_eq!(viewed(&session).await, late);
    let last = backend.last_stored("a").await.unwrap();
    assert_eq!(last.get(0).unwrap().stored_at, now + HOUR_MS);
    let parts = physical(&session, "part").await;
    // The clock was set back: what has expired by it goes, and no partition with it.
    assert_eq!(sweep(&backend, now).await, 2);
    assert_eq!(viewed(&session).await, [now + HOUR_MS]);
    assert_eq!(physical(&session, "part").await, parts);
    assert_eq!(sweep(&backend, now + 3 * DAY_MS).await, 1);
    assert_eq!(values(&backend, "a").await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn a_series_that_changes_its_class_is_asked_in_both() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    let session = session(&place).await;
    let now = now_ms();
    backend
        .store_batch(rows("a", [now - 3 * HOUR_MS, now - HOUR_MS]))
        .await;
    kept_for(&backend, "a", DAY_MS).await;
    backend.store_batch(rows("a", [now - 2 * HOUR_MS])).await;
    kept_for(&backend, "a", 7 * DAY_MS).await;
    backend.store_batch(rows("a", [now])).await;
    for table in ["history_1d", "history_7d"] {
        assert_eq!(physical(&session, table).await, 1, "{table}");
    }
    let all = [3, 2, 1, 0].map(|hours| now - hours * HOUR_MS);
    assert_eq!(values(&backend, "a").await.unwrap(), all);
    assert_eq!(viewed(&session).await, all);
    assert_eq!(sweep(&backend, now + 7 * DAY_MS - HOUR_MS).await, 2);
    assert_eq!(values(&backend, "a").await.unwrap(), all[2..]);
    assert_eq!(backend.erase("a", now - HOUR_MS, now - 1).await.unwrap(), 1);
    sweep(&backend, now).await;
    let former = session
        .query_one("SELECT former::text, class FROM series", &[])
        .await
        .unwrap();
    assert_eq!(
        (former.get::<_, &str>(0), former.get::<_, i16>(1)),
        ("{}", 2)
    );
    let floor = SeriesDeclaration::new("a").with_keep_last(1);
    backend.declare(&[floor]).await.unwrap();
    assert_eq!(sweep(&backend, now + 50 * DAY_MS).await, 0);
    assert_eq!(values(&backend, "a").await.unwrap(), [now]);
}

#[tokio::test]
async fn series_without_a_retention_of_their_own_follow_the_program_s() {
    let Some(place) = scratch() else { return };
    let backend = open(&place, "gateway").await;
    let session = session(&place).await;
    let now = now_ms();
    backend
        .store_batch(rows("a", [now - 9 * DAY_MS, now - DAY_MS]))
        .await;
    let week = Retention::Milliseconds(7 * DAY_MS);
    assert_eq!(sweep_with(&backend, now, week).await.removed, 1);
    for name in ["a", "b"] {
        backend.store_batch(rows(name, [now])).await;
    }
    assert_eq!(physical(&session, "history_7d").await, 2);
    assert_eq!(values(&backend, "a").await.unwrap(), [now - DAY_MS, now]);
    backend.close().await.unwrap();
    let backend = open(&place, "gateway").await;
    backend.store_batch(rows("c", [now])).await;
    assert_eq!(
        physical(&session, "history_7d").await,
        3,
        "as the last sweep had it"
    );
}

#[tokio::test]
async fn a_source_that_nobody_holds_any_more_is_swept_by_the_others() {
    let Some(place) = scratch() else { return };
    let now = now_ms();
    let gone = open(&place, "gone").await;
    kept_for(&gone, "a", DAY_MS).await;
    gone.store_batch(rows("a", [now - 2 * DAY_MS, now - HOUR_MS]))
        .await;
    gone.close().await.unwrap();
    let other = builder(&place, "other")
        .all_sources()
        .connect()
        .await
        .unwrap();
    sweep(&other, now).await;
    assert_eq!(
        values(&other, "a").await.unwrap().len(),
        2,
        "it may come back"
    );
    let session = session(&place).await;
    let long_ago = "UPDATE source SET seen_at = now() - interval '2 days' WHERE name = 'gone'";
    session.batch_execute(long_ago).await.unwrap();
    sweep(&other, now).await;
    assert_eq!(values(&other, "a").await.unwrap(), [now - HOUR_MS]);
    let back = open(&place, "gone").await;
    back.store_batch(rows("a", [now - 3 * DAY_MS])).await;
    assert_eq!(
        values(&back, "a").await.unwrap(),
        [now - 3 * DAY_MS, now - HOUR_MS]
    );
}
