//! How long a `store` takes while something large is going on in the same file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aimdb_persistence::{Persist, PersistenceBackend};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_workload::{Latencies, ROWS_PER_COMMIT, Reading, START_MS};
use serde_json::json;

use crate::bench::{Bench, Outcome, arrival, runtime};
use crate::history::{self, Temperature};
use crate::raw::{Layout, Raw, decoded};
use crate::report::Report;

/// The series that is stored into meanwhile: not one of those that are read.
const PROBE: &str = "probe.store";
const PROBE_SERIES: u64 = 1_000_000;

/// The quantiles that are reported, and how they are called.
const QUANTILES: [(f64, &str); 4] = [
    (0.5, "median"),
    (0.99, "99th percentile"),
    (0.999, "99.9th percentile"),
    (1.0, "maximum"),
];

/// Stores without pause, one at a time.
struct Probe {
    latencies: Latencies,
    largest_log: u64,
}

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let rows = bench.size(10_000_000, 1_000_000);
    let alone = Duration::from_secs(bench.size(10, 2));
    during_a_query(bench, report, rows, alone)?;
    during_a_sweep(bench, report)
}

fn during_a_query(bench: &Bench, report: &mut Report, rows: u64, alone: Duration) -> Outcome {
    let (our_file, raw_file) = (bench.our_file(rows)?, bench.raw_file(rows)?);
    let (quiet, ours) = runtime()?.block_on(async {
        let backend = history::open(&our_file)?;
        let db = history::asking(&backend).await?;
        let rest = async move {
            tokio::time::sleep(alone).await;
            Ok(())
        };
        let (_, quiet) = probe_ours(&backend, &our_file, rest).await?;
        let query = async move {
            let values = Temperature::query_range(&db, 0, u64::MAX, None).await?;
            expect_rows(values.len() as u64, rows)
        };
        let (_, busy) = probe_ours(&backend, &our_file, query).await?;
        backend.close().await?;
        Outcome::Ok((quiet, busy))
    })?;
    let (_, raw_quiet) = probe_raw(&raw_file, || {
        thread::sleep(alone);
        Ok(())
    })?;
    let (_, raw) = probe_raw(&raw_file, || {
        let mut values: Vec<Reading> = Vec::new();
        Raw::open(&raw_file)?.scan(|series, _, json| {
            if series != PROBE_SERIES {
                values.push(decoded(json));
            }
        })?;
        expect_rows(values.len() as u64, rows)
    })?;
    compare(report, "store alone", &quiet, &raw_quiet);
    compare(
        report,
        &format!("store during a query of {rows} rows"),
        &ours,
        &raw,
    );
    Ok(())
}

fn expect_rows(found: u64, expected: u64) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(format!("the query returned {found} rows of {expected}").into())
    }
}

fn during_a_sweep(bench: &Bench, report: &mut Report) -> Outcome {
    let expired = bench.size(1_000_000, 300_000);
    let fresh = expired / 10;
    let scratch = bench.scratch()?;
    let (our_file, raw_file) = (
        scratch.path().join("ours.db"),
        scratch.path().join("raw.db"),
    );
    let cutoff = START_MS + expired;
    let mut sizes = Vec::new();
    let ours = runtime()?.block_on(async {
        let backend = history::open(&our_file)?;
        history::store_rows(&backend, 0..expired + fresh, ROWS_PER_COMMIT, arrival).await?;
        sizes.push(("file before the sweep", file_bytes(&our_file)));
        let sweeping = backend.clone();
        let sweep = async move { Ok(sweeping.cleanup(cutoff).await?) };
        let (removed, probe) = probe_ours(&backend, &our_file, sweep).await?;
        expect_rows(removed, expired)?;
        sizes.push(("file after the sweep", file_bytes(&our_file)));
        backend.close().await?;
        sizes.push(("file after the sweep, closed", file_bytes(&our_file)));
        Outcome::Ok(probe)
    })?;
    let mut raw = Raw::create(&raw_file, Layout::Clustered)?;
    raw.store(0..expired + fresh, ROWS_PER_COMMIT, arrival)?;
    let raw_before = file_bytes(&raw_file);
    raw.close()?;
    let (_, probe) = probe_raw(&raw_file, || {
        Ok(Raw::open(&raw_file)?.delete_before(cutoff)?)
    })?;
    let raw_sizes = [
        raw_before,
        raw_before.max(file_bytes(&raw_file)),
        file_bytes(&raw_file),
    ];
    compare(
        report,
        &format!("store while {expired} rows are swept"),
        &ours,
        &probe,
    );
    for ((case, bytes), raw_bytes) in sizes.into_iter().zip(raw_sizes) {
        report.beside_raw(case, "MB", bytes as f64 / 1e6, raw_bytes as f64 / 1e6);
    }
    Ok(())
}

/// Stores into our file until `work` is done.
async fn probe_ours<T: Send + 'static>(
    backend: &SqliteBackend,
    file: &Path,
    work: impl Future<Output = Outcome<T>> + Send + 'static,
) -> Outcome<(T, Probe)> {
    let mut probe = Probe::new();
    let value = json!({ "celsius": 13.25, "humidity": 51.5 });
    let work = tokio::spawn(work);
    let mut at = unused_time()?;
    while !work.is_finished() {
        let start = Instant::now();
        backend.store(PROBE, &value, at).await?;
        probe.stored(start, file);
        at += 1;
    }
    Ok((work.await??, probe))
}

/// Stores into the raw file on a connection of its own until `work` is done.
fn probe_raw<T: Send>(
    file: &Path,
    work: impl FnOnce() -> Outcome<T> + Send,
) -> Outcome<(T, Probe)> {
    let done = AtomicBool::new(false);
    let mut probe = Probe::new();
    thread::scope(|scope| {
        let working = scope.spawn(|| {
            let result = work();
            done.store(true, Ordering::Release);
            result
        });
        let mut raw = Raw::open(file)?;
        let mut at = unused_time()?;
        while !done.load(Ordering::Acquire) {
            let start = Instant::now();
            raw.store(at..at + 1, 1, |at| (PROBE_SERIES, at, Reading::nth(at)))?;
            probe.stored(start, file);
            at += 1;
        }
        let result = working
            .join()
            .map_err(|_| "the work beside the probe panicked")?;
        raw.close()?;
        Ok((result?, probe))
    })
}

/// A time that no probe has used in the file, and younger than everything that expires: the clock's microseconds,
/// taken for milliseconds. No store takes less than one.
fn unused_time() -> Outcome<u64> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(since_1970.as_micros() as u64)
}

impl Probe {
    fn new() -> Self {
        Self {
            latencies: Latencies::new(),
            largest_log: 0,
        }
    }

    fn stored(&mut self, start: Instant, file: &Path) {
        self.latencies.push_since(start);
        self.largest_log = self.largest_log.max(file_bytes(&log_of(file)));
    }
}

fn compare(report: &mut Report, case: &str, ours: &Probe, raw: &Probe) {
    for (share, name) in QUANTILES {
        let [ours, raw] = [ours, raw].map(|p| p.latencies.quantile_us(share) / 1_000.0);
        report.beside_raw(format!("{case}, {name}"), "ms", ours, raw);
    }
    let [ours, raw] = [ours, raw].map(|p| p.largest_log as f64 / f64::from(1 << 20));
    report.beside_raw(format!("{case}, largest log"), "MiB", ours, raw);
}

fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The length of a file; none where it is not there, as a log is not before the first commit.
fn file_bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}
