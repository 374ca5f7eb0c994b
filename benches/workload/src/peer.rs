//! The order of events for a peer: every one does the same work, in a process of its own, and prints its figures as
//! JSON, one a line.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::{Latencies, ROWS_PER_COMMIT, Reading, SERIES, cpu_seconds, folder_bytes};

/// How long a latency is measured.
const LATENCY_TIME: Duration = Duration::from_secs(2);

/// How many rows each task stores one at a time.
const ROWS_PER_TASK: u64 = 250;

/// A store of the history of [`SERIES`] series. Row `n` belongs to series `n % SERIES`, has the time
/// [`START_MS`](crate::START_MS)` + n`, unless the peer takes the time of receipt, and the value [`Reading::nth`].
pub trait Peer: Sized {
    /// Its name in the table.
    const NAME: &'static str;
    /// What is said beside its figures: what a power cut may cost, what else is different.
    const NOTE: &'static str;
    /// It stores this share of the rows only, where all of them would take minutes.
    const SHARE_OF_ROWS: f64 = 1.0;

    /// Opens an empty history in a folder.
    fn create(folder: &Path) -> Self;

    /// Takes rows in as its own documentation recommends for many rows, values serialised on the way. They are
    /// durable when it returns.
    fn ingest(&mut self, rows: Range<u64>);

    /// Brings the file to its size before queries are timed. Not timed itself.
    fn fill(&mut self, rows: Range<u64>) {
        self.ingest(rows);
    }

    /// Stores these rows from as many tasks or threads, each awaiting that a row is durable before the next.
    fn store_from_tasks(&mut self, tasks: Vec<Range<u64>>);

    /// The newest value of a series.
    fn latest(&self, series: u64) -> Option<Reading>;

    /// The newest value of every series.
    fn latest_of_all(&self) -> Vec<Reading>;

    /// Every row, decoded.
    fn scan(&self) -> Vec<Reading>;

    /// Closes the files, so that they have the size they are left with.
    fn close(self);
}

/// Runs the whole workload with the rows and the folder that the arguments name: `ROWS FOLDER`.
///
/// # Panics
/// If the arguments are not of that form, or the peer fails: a figure of a failed run is worth nothing.
pub fn measure_peer<P: Peer>(arguments: &[String]) {
    let [rows, folder] = arguments else {
        panic!("usage: ROWS FOLDER");
    };
    let rows: u64 = rows.parse().expect("ROWS is a number");
    let folder = PathBuf::from(folder);
    print::<P>("note", P::NOTE);
    ingest::<P>(rows, &folder.join("ingest"));
    store::<P>(&folder.join("store"));
    query::<P>(rows, &folder.join("query"));
}

fn ingest<P: Peer>(rows: u64, folder: &Path) {
    let rows = ((rows as f64 * P::SHARE_OF_ROWS) as u64).max(SERIES);
    let mut peer = created::<P>(folder);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    peer.ingest(0..rows);
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let found = peer.scan().len() as u64;
    peer.close();
    print::<P>("ingest rows/s", found as f64 / seconds);
    print::<P>("ingest CPU µs/row", cpu * 1e6 / rows as f64);
    print::<P>("ingest rows lost", rows - found);
}

fn store<P: Peer>(folder: &Path) {
    let mut peer = created::<P>(folder);
    for (tasks, case) in [
        (1, "store, 1 task, rows/s"),
        (16, "store, 16 tasks, rows/s"),
        (64, "store, 64 tasks, rows/s"),
    ] {
        let ranges = (0..tasks).map(|task| task * ROWS_PER_TASK..(task + 1) * ROWS_PER_TASK);
        let ranges = ranges.collect();
        let start = Instant::now();
        peer.store_from_tasks(ranges);
        let rows = tasks * ROWS_PER_TASK;
        print::<P>(case, rows as f64 / start.elapsed().as_secs_f64());
    }
    peer.close();
}

fn query<P: Peer>(rows: u64, folder: &Path) {
    let rows = rows / ROWS_PER_COMMIT * ROWS_PER_COMMIT;
    let mut peer = created::<P>(folder);
    peer.fill(0..rows);
    let newest = |series| Reading::nth(rows - SERIES + series);
    let mut series = 0;
    let latest = repeat(|| {
        series = (series + 37) % SERIES;
        assert_eq!(peer.latest(series), Some(newest(series)));
    });
    print::<P>("latest 1 of a series, µs", latest.median_us());
    let all = repeat(|| {
        let found = peer.latest_of_all();
        assert_eq!(found, (0..SERIES).map(newest).collect::<Vec<_>>());
    });
    print::<P>("latest 1 of 100 series, µs", all.median_us());
    let start = Instant::now();
    let found = peer.scan().len() as u64;
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(found, rows);
    print::<P>("scan, rows/s", rows as f64 / seconds);
    peer.close();
    print::<P>("bytes/row", folder_bytes(folder) as f64 / rows as f64);
}

fn repeat(mut operation: impl FnMut()) -> Latencies {
    let (mut latencies, begin) = (Latencies::new(), Instant::now());
    while latencies.is_empty() || begin.elapsed() < LATENCY_TIME {
        let start = Instant::now();
        operation();
        latencies.push_since(start);
    }
    latencies
}

fn created<P: Peer>(folder: &Path) -> P {
    std::fs::create_dir_all(folder).expect("the folder can be created");
    P::create(folder)
}

fn print<P: Peer>(case: &str, value: impl Into<serde_json::Value>) {
    let line = json!({ "peer": P::NAME, "case": case, "value": value.into() });
    println!("{line}");
}
