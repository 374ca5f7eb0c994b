//! What rows take on disk, and what is left of the file once half of them have expired.

use std::path::Path;

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence_workload::{ROWS_PER_COMMIT, START_MS, folder_bytes};

use crate::bench::{Bench, Outcome, arrival, runtime};
use crate::history;
use crate::raw::{Layout, Raw};
use crate::report::Report;

/// Bytes of the closed file: full, and after the older half was removed.
type Sizes = (u64, u64);

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let rows = bench.size(1_000_000, 200_000);
    let ours = in_scratch(bench, |folder| our_sizes(folder, rows))?;
    let clustered = in_scratch(bench, |folder| raw_sizes(folder, rows, Layout::Clustered))?;
    let rowid = in_scratch(bench, |folder| raw_sizes(folder, rows, Layout::Rowid))?;
    for (name, raw) in [
        ("raw, clustered table", clustered),
        ("raw, rowid table", rowid),
    ] {
        let per_row = |bytes: u64| bytes as f64 / rows as f64;
        let case = format!("{rows} rows of 33 B, closed");
        report.beside(case, "bytes/row", per_row(ours.0), (name, per_row(raw.0)));
        let left = |sizes: Sizes| 100.0 * sizes.1 as f64 / sizes.0 as f64;
        let case = "file left after half the rows were removed";
        report.beside(case, "%", left(ours), (name, left(raw)));
    }
    Ok(())
}

fn in_scratch(bench: &Bench, measure: impl FnOnce(&Path) -> Outcome<Sizes>) -> Outcome<Sizes> {
    let scratch = bench.scratch()?;
    measure(scratch.path())
}

fn our_sizes(folder: &Path, rows: u64) -> Outcome<Sizes> {
    let file = folder.join("history.db");
    runtime()?.block_on(async {
        let backend = history::open(&file)?;
        history::store_rows(&backend, 0..rows, ROWS_PER_COMMIT, arrival).await?;
        backend.close().await?;
        let full = folder_bytes(folder);
        let backend = history::open(&file)?;
        backend.cleanup(START_MS + rows / 2).await?;
        backend.close().await?;
        Ok((full, folder_bytes(folder)))
    })
}

fn raw_sizes(folder: &Path, rows: u64, layout: Layout) -> Outcome<Sizes> {
    let file = folder.join("raw.db");
    let mut raw = Raw::create(&file, layout)?;
    raw.store(0..rows, ROWS_PER_COMMIT, arrival)?;
    raw.close()?;
    let full = folder_bytes(folder);
    let raw = Raw::open(&file)?;
    raw.delete_before(START_MS + rows / 2)?;
    raw.close()?;
    Ok((full, folder_bytes(folder)))
}
