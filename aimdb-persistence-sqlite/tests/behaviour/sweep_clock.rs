//! A sweep whose clock nothing has vouched for yet: it compares it with what earlier runs have left.

use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

use aimdb_persistence::backend::{SweepReport, SweepRequest};
use aimdb_persistence::{PersistenceBackend, Retention};
use aimdb_persistence_sqlite::SqliteBackend;

use crate::support::{Scratch, plain, rows, scratch, store, values};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;
/// When the device has last run with a clock that was right.
const BEFORE_MS: u64 = 20_000 * DAY_MS;

/// A device, from run to run. Its rows are kept for seven days.
struct Device {
    scratch: Scratch,
    backend: SqliteBackend,
}

impl Device {
    /// One that has run well until [`BEFORE_MS`], and has a row of that time and one of six days before.
    async fn new() -> Self {
        let scratch = scratch();
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        let device = Self { scratch, backend };
        store(&device.backend, "t", 1, BEFORE_MS - 6 * DAY_MS).await;
        store(&device.backend, "t", 2, BEFORE_MS).await;
        assert_eq!(device.sweep(BEFORE_MS).await, SweepReport::default());
        device
    }

    /// The next run, of a file that was last written at this time.
    async fn restart(self, written_ms: u64) -> Self {
        let Self { scratch, backend } = self;
        backend.close().await.unwrap();
        let file = File::options().write(true).open(&scratch.path).unwrap();
        let written_at = UNIX_EPOCH + Duration::from_millis(written_ms);
        file.set_modified(written_at).unwrap();
        let backend = SqliteBackend::new(&scratch.path).unwrap();
        Self { scratch, backend }
    }

    async fn sweep(&self, now_ms: u64) -> SweepReport {
        self.sweep_with(now_ms, false).await
    }

    async fn sweep_with(&self, now_ms: u64, clock_is_trusted: bool) -> SweepReport {
        let request = SweepRequest {
            now_ms,
            default_retention: Retention::Milliseconds(7 * DAY_MS),
            longest_retention: Retention::Milliseconds(7 * DAY_MS),
            max_ahead_ms: 3_600_000,
            clock_is_trusted,
        };
        self.backend.sweep(request).await.unwrap()
    }

    async fn left(&self) -> Vec<u64> {
        values(&self.backend, "t").await
    }

    fn last_sweep_ms(&self) -> u64 {
        let last = "SELECT value FROM meta WHERE name = 'last_sweep_ms'";
        let plain = plain(&self.scratch.path);
        let last: i64 = plain.query_row(last, [], |r| r.get(0)).unwrap();
        last.cast_unsigned()
    }
}

fn put_off(gap_ms: u64) -> SweepReport {
    SweepReport {
        put_off: Some(gap_ms),
        ..SweepReport::default()
    }
}

fn removed(removed: u64) -> SweepReport {
    SweepReport {
        removed,
        ..SweepReport::default()
    }
}

#[tokio::test]
async fn a_clock_that_is_four_weeks_ahead_at_the_start_removes_nothing_until_it_is_trusted() {
    let device = Device::new().await.restart(BEFORE_MS).await;
    let wrong_ms = BEFORE_MS + 29 * DAY_MS;
    for minutes in [0, 10, 20] {
        // What is stored with the wrong clock meanwhile proves nothing.
        store(&device.backend, "t", 3, wrong_ms + minutes * MINUTE_MS).await;
        let report = device.sweep(wrong_ms + minutes * MINUTE_MS).await;
        assert_eq!(report, put_off(29 * DAY_MS + minutes * MINUTE_MS));
    }
    assert_eq!(device.left().await, [3, 3, 3, 2, 1]);
    assert_eq!(device.last_sweep_ms(), BEFORE_MS);
    // A device that really was off for so long.
    let report = device.sweep_with(wrong_ms + DAY_MS, true).await;
    assert_eq!(report, removed(2));
}

#[tokio::test]
async fn a_sweep_is_put_off_if_anything_that_an_earlier_run_left_is_too_long_ago() {
    let now_ms = BEFORE_MS + 5 * DAY_MS;
    // The file was copied, or touched: its rows are old, and it was last swept long ago. Rows of this run are no evidence.
    for count in [1, 100] {
        let device = Device::new().await.restart(now_ms).await;
        let of_this_run = (0..count).map(|_| ("t", now_ms, "3"));
        device.backend.store_batch(rows(of_this_run)).await;
        assert_eq!(device.sweep(now_ms).await, put_off(5 * DAY_MS));
    }
    // It has rows of today, which may be what a backup or another clock says: it was last written long ago.
    let device = Device::new().await;
    store(&device.backend, "t", 3, now_ms).await;
    let device = device.restart(BEFORE_MS).await;
    assert_eq!(device.sweep(now_ms).await, put_off(5 * DAY_MS));
}

#[tokio::test]
async fn a_device_that_has_recorded_lately_sweeps_at_its_start_though_its_last_sweep_is_long_ago() {
    let now_ms = BEFORE_MS + 5 * DAY_MS;
    // One row stays in the tail; many go to the clustered table.
    for count in [1, 100] {
        let device = Device::new().await;
        let lately = (0..count).map(|n| ("u", now_ms - DAY_MS + n, "3"));
        device.backend.store_batch(rows(lately)).await;
        let device = device.restart(now_ms - DAY_MS).await;
        assert_eq!(device.sweep(now_ms).await, removed(1), "{count} rows");
        assert_eq!(device.last_sweep_ms(), now_ms);
    }
}

#[tokio::test]
async fn a_wrong_clock_is_doubted_after_a_restart_too_though_files_and_rows_have_its_times_by_then()
{
    let mut device = Device::new().await.restart(BEFORE_MS).await;
    let wrong_ms = BEFORE_MS + 29 * DAY_MS;
    assert_eq!(device.sweep(wrong_ms).await, put_off(29 * DAY_MS));
    for n in 1..5 {
        let now_ms = wrong_ms + n * MINUTE_MS;
        store(&device.backend, "t", 3, now_ms).await;
        device = device.restart(now_ms).await;
        assert!(device.sweep(now_ms + MINUTE_MS).await.put_off.is_some());
    }
    // The clock is set right.
    let device = device.restart(wrong_ms).await;
    let report = device.sweep(BEFORE_MS + 2 * DAY_MS).await;
    let expected = SweepReport {
        removed: 1,
        put_off: None,
        clock_is_behind: true,
    };
    assert_eq!(report, expected);
}

#[tokio::test]
async fn a_device_that_runs_for_an_hour_a_day_sweeps_on_the_day_after_it_was_away() {
    let device = Device::new().await.restart(BEFORE_MS).await;
    let back_ms = BEFORE_MS + 21 * DAY_MS;
    assert_eq!(device.sweep(back_ms).await, put_off(21 * DAY_MS));
    store(&device.backend, "t", 3, back_ms + MINUTE_MS).await;
    let device = device.restart(back_ms + 60 * MINUTE_MS).await;
    assert_eq!(device.sweep(back_ms + DAY_MS).await, removed(2));
}

#[tokio::test]
async fn a_device_that_always_starts_in_1970_sweeps_once_its_clock_is_set() {
    let mut device = Device::new().await;
    for day in 1..10 {
        let set_ms = BEFORE_MS + day * DAY_MS;
        device = device.restart(set_ms - DAY_MS).await;
        let at_start = device.sweep(MINUTE_MS).await;
        assert_eq!((at_start.removed, at_start.put_off), (0, None));
        assert!(at_start.clock_is_behind, "it may be set");
        store(&device.backend, "early", 0, MINUTE_MS).await;
        assert!(device.last_sweep_ms() >= BEFORE_MS, "never set back");
        // Two hours later.
        let swept = device.sweep(set_ms).await;
        assert_eq!((swept.put_off, swept.clock_is_behind), (None, false));
        store(&device.backend, "t", 2 + day, set_ms).await;
    }
    assert_eq!(
        device.left().await.len(),
        8,
        "rows of more than seven days are gone"
    );
    assert_eq!(device.last_sweep_ms(), BEFORE_MS + 9 * DAY_MS);
}
