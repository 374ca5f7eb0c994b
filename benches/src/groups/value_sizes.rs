//! Inserts of values of several sizes, and what they take on disk.

use std::time::Instant;

use aimdb_persistence_workload::{
    ROWS_PER_COMMIT, Reading, SERIES, START_MS, folder_bytes, median,
};
use serde::Serialize;

use crate::bench::{Bench, Outcome, runtime};
use crate::history;
use crate::raw::{Layout, Raw};
use crate::report::Report;

/// No transaction takes in more than this, for us and for raw SQLite alike.
const BYTES_PER_COMMIT: u64 = 8 << 20;

/// A reading with a text that brings it to its size.
#[derive(Clone, Serialize)]
struct Sized {
    celsius: f64,
    humidity: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
}

impl Sized {
    /// The bytes of JSON around the note.
    const FRAME_BYTES: usize = 43;

    fn nth(n: u64, bytes: usize) -> Self {
        let note_bytes = bytes.saturating_sub(Self::FRAME_BYTES);
        let note = (0..note_bytes).map(|i| (b'a' + ((n as usize + i * i) % 26) as u8) as char);
        let Reading { celsius, humidity } = Reading::nth(n);
        Self {
            celsius,
            humidity,
            note: note.collect(),
        }
    }
}

#[derive(Clone, Copy)]
struct Load {
    bytes: usize,
    rows: u64,
}

impl Load {
    fn rows_per_commit(self) -> u64 {
        (BYTES_PER_COMMIT / self.bytes as u64).min(ROWS_PER_COMMIT)
    }
}

/// Rows per second, and bytes per row once closed.
type Taken = (f64, f64);

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    for (bytes, rows) in [
        (33, 500_000),
        (500, 200_000),
        (2_048, 60_000),
        (16_384, 8_000),
    ] {
        let rows = bench.size(rows, rows / 4);
        let load = Load { bytes, rows };
        let (mut ours, mut clustered, mut rowid) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..bench.runs() {
            ours.push(store(bench, load)?);
            clustered.push(insert(bench, load, Layout::Clustered)?);
            rowid.push(insert(bench, load, Layout::Rowid)?);
        }
        let [ours, clustered, rowid] = [ours, clustered, rowid].map(medians);
        let case = format!("{bytes} B");
        report.beside(
            &case,
            "rows/s",
            ours.0,
            ("raw, clustered table", clustered.0),
        );
        report.beside(&case, "rows/s", ours.0, ("raw, rowid table", rowid.0));
        report.beside(
            &case,
            "bytes/row",
            ours.1,
            ("raw, clustered table", clustered.1),
        );
        report.beside(&case, "bytes/row", ours.1, ("raw, rowid table", rowid.1));
    }
    Ok(())
}

fn medians(runs: Vec<Taken>) -> Taken {
    let (rates, sizes) = runs.into_iter().unzip();
    (median(rates), median(sizes))
}

/// The notes are made beforehand and shared by many rows, so that making them is not what is measured.
fn values(bytes: usize) -> Vec<Sized> {
    (0..SERIES).map(|n| Sized::nth(n, bytes)).collect()
}

fn store(bench: &Bench, load: Load) -> Outcome<Taken> {
    let scratch = bench.scratch()?;
    let values = values(load.bytes);
    let row = |n: u64| (n % SERIES, START_MS + n, &values[(n * 7 % SERIES) as usize]);
    runtime()?.block_on(async {
        let backend = history::open(&scratch.path().join("history.db"))?;
        let start = Instant::now();
        history::store_rows(&backend, 0..load.rows, load.rows_per_commit(), row).await?;
        let rate = load.rows as f64 / start.elapsed().as_secs_f64();
        backend.close().await?;
        Ok((rate, folder_bytes(scratch.path()) as f64 / load.rows as f64))
    })
}

fn insert(bench: &Bench, load: Load, layout: Layout) -> Outcome<Taken> {
    let scratch = bench.scratch()?;
    let values = values(load.bytes);
    let row = |n: u64| (n % SERIES, START_MS + n, &values[(n * 7 % SERIES) as usize]);
    let mut raw = Raw::create(&scratch.path().join("raw.db"), layout)?;
    let start = Instant::now();
    raw.store(0..load.rows, load.rows_per_commit(), row)?;
    let rate = load.rows as f64 / start.elapsed().as_secs_f64();
    raw.close()?;
    Ok((rate, folder_bytes(scratch.path()) as f64 / load.rows as f64))
}
