//! `store` awaited by several tasks, and `store_batch`.

use std::time::Instant;

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_workload::{median, series_key};
use tokio::task::JoinSet;

use crate::bench::{Bench, Outcome, arrival, runtime};
use crate::history;
use crate::raw::{Layout, Raw};
use crate::report::Report;

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    for tasks in [1, 16, 64] {
        let rows = bench.size(20_000, 2_048) / tasks * tasks;
        let (mut ours, mut raw) = (Vec::new(), Vec::new());
        for _ in 0..bench.runs() {
            ours.push(rows as f64 / store(bench, tasks, rows)?);
            raw.push(rows as f64 / insert(bench, rows, tasks)?);
        }
        let case = format!("store awaited by {tasks} tasks (raw: commits of {tasks})");
        report.beside_raw(case, "rows/s", median(ours), median(raw));
    }
    for (rows_per_batch, rows) in [(1, 4_000), (100, 100_000), (10_000, 500_000)] {
        let rows = bench.size(rows, rows / 4);
        let (mut ours, mut raw) = (Vec::new(), Vec::new());
        for _ in 0..bench.runs() {
            ours.push(rows as f64 / store_batches(bench, rows, rows_per_batch)?);
            raw.push(rows as f64 / insert(bench, rows, rows_per_batch)?);
        }
        let case = format!("store_batch of {rows_per_batch}");
        report.beside_raw(case, "rows/s", median(ours), median(raw));
    }
    Ok(())
}

/// The seconds that `tasks` tasks take for `rows` rows, each task awaiting one row after the other.
fn store(bench: &Bench, tasks: u64, rows: u64) -> Outcome<f64> {
    let scratch = bench.scratch()?;
    runtime()?.block_on(async {
        let backend = history::open(&scratch.path().join("history.db"))?;
        let mut running = JoinSet::new();
        let start = Instant::now();
        for task in 0..tasks {
            let backend = backend.clone();
            running.spawn(async move {
                for n in (task..rows).step_by(tasks as usize) {
                    store_row(&backend, n).await?;
                }
                Outcome::Ok(())
            });
        }
        running.join_all().await.into_iter().collect::<Outcome>()?;
        let seconds = start.elapsed().as_secs_f64();
        backend.close().await?;
        Ok(seconds)
    })
}

async fn store_row(backend: &SqliteBackend, n: u64) -> Outcome {
    let (series, stored_at, value) = arrival(n);
    let value = serde_json::to_value(value)?;
    Ok(backend
        .store(&series_key(series), &value, stored_at)
        .await?)
}

fn store_batches(bench: &Bench, rows: u64, rows_per_batch: u64) -> Outcome<f64> {
    let scratch = bench.scratch()?;
    runtime()?.block_on(async {
        let backend = history::open(&scratch.path().join("history.db"))?;
        let start = Instant::now();
        history::store_rows(&backend, 0..rows, rows_per_batch, arrival).await?;
        let seconds = start.elapsed().as_secs_f64();
        backend.close().await?;
        Ok(seconds)
    })
}

fn insert(bench: &Bench, rows: u64, rows_per_commit: u64) -> Outcome<f64> {
    let scratch = bench.scratch()?;
    let mut raw = Raw::create(&scratch.path().join("raw.db"), Layout::Clustered)?;
    let start = Instant::now();
    raw.store(0..rows, rows_per_commit, arrival)?;
    let seconds = start.elapsed().as_secs_f64();
    raw.close()?;
    Ok(seconds)
}
