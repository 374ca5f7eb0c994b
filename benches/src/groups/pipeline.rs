//! Values produced into AimDB until `flush_persistence()` returns.

use std::sync::Arc;
use std::time::Instant;

use aimdb_persistence::{AimDbQueryExt, declare::BufferKind, options::BacklogLimits};
use aimdb_persistence_workload::{
    ROWS_PER_COMMIT, Reading, SERIES, START_MS, cpu_seconds, median, series_keys,
};
use tokio::task::JoinSet;

use crate::bench::{Bench, Outcome, runtime};
use crate::history::{self, Db, Temperature};
use crate::raw::{Layout, Raw};
use crate::report::Report;

/// All rings together hold so many values: whatever the producers are ahead of the recorder.
const RING_VALUES: u64 = 1 << 20;
const SMALLEST_RING: u64 = 1 << 8;

/// A producer lets other tasks run after so many values. AimDB 1 never does: a ring overflows under a loop without an
/// await that waits, whatever reads from it.
const VALUES_PER_TURN: usize = 256;

#[derive(Clone, Copy)]
struct Load {
    producers: u64,
    series: u64,
    values: u64,
}

/// What one run took.
struct Taken {
    rows_per_second: f64,
    cpu_us_per_row: f64,
    lost: u64,
}

impl Taken {
    fn new(values: u64, start: (Instant, f64), lost: u64) -> Self {
        let (instant, cpu) = start;
        Self {
            rows_per_second: values as f64 / instant.elapsed().as_secs_f64(),
            cpu_us_per_row: (cpu_seconds() - cpu) * 1e6 / values as f64,
            lost,
        }
    }
}

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let values = bench.size(1_000_000, 200_000);
    for series in bench.size(vec![1, 100, 10_000], vec![1, 100]) {
        for producers in bench.size(vec![1, 4, 16], vec![1, 16]) {
            let load = Load {
                producers,
                series,
                values,
            };
            compare(bench, report, load)?;
        }
    }
    Ok(())
}

/// Ours and raw SQLite take turns, so that a slow minute of the machine is in both.
fn compare(bench: &Bench, report: &mut Report, load: Load) -> Outcome {
    let (mut ours, mut raw, mut raw_of_100) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.size(3, 1) {
        ours.push(record(bench, load)?);
        raw.push(insert(bench, load.series, load.values)?);
        if load.series > SERIES {
            raw_of_100.push(insert(bench, SERIES, load.values)?);
        }
    }
    let rate = |runs: &[Taken]| median(runs.iter().map(|run| run.rows_per_second).collect());
    let cpu = |runs: &[Taken]| median(runs.iter().map(|run| run.cpu_us_per_row).collect());
    let case = format!("{} producers, {} series", load.producers, load.series);
    report.beside_raw(&case, "rows/s", rate(&ours), rate(&raw));
    if !raw_of_100.is_empty() {
        let beside = ("raw SQLite, 100 series", rate(&raw_of_100));
        report.beside(&case, "rows/s", rate(&ours), beside);
    }
    report.beside_raw(&case, "CPU µs/row", cpu(&ours), cpu(&raw));
    let lost = ours.iter().map(|run| run.lost).sum::<u64>();
    report.alone(&case, "rows lost", lost as f64);
    Ok(())
}

fn record(bench: &Bench, load: Load) -> Outcome<Taken> {
    let scratch = bench.scratch()?;
    runtime()?.block_on(async {
        let backend = history::open(&scratch.path().join("history.db"))?;
        // Room for whatever the producers are ahead of the disk: the figure is the disk's and the recorder's.
        let options = history::options(&backend).backlog(BacklogLimits {
            rows: load.values as usize,
            bytes: usize::MAX,
        });
        let mut builder = history::builder(options);
        let ring = (RING_VALUES / load.series).max(SMALLEST_RING);
        for index in 0..load.series {
            let series = history::series(index).with_buffer(BufferKind::Ring(ring as usize));
            series.register(&mut builder);
        }
        let db = builder.build().await?;
        db.flush_persistence().await?;
        let start = (Instant::now(), cpu_seconds());
        produce(&db, load).await?;
        db.flush_persistence().await?;
        let total = db.persistence_stats()?.total;
        let taken = Taken::new(load.values, start, load.values - total.stored);
        drop(db);
        backend.close().await?;
        Ok(taken)
    })
}

async fn produce(db: &Db, load: Load) -> Outcome {
    let keys = Arc::new(series_keys(load.series));
    let mut producers = JoinSet::new();
    for producer in 0..load.producers {
        let (db, keys) = (db.clone(), Arc::clone(&keys));
        producers.spawn(async move {
            let values = (producer..load.values).step_by(load.producers as usize);
            for (index, n) in values.enumerate() {
                let key = &keys[(n % load.series) as usize];
                db.produce(key, Temperature::nth(n)).await?;
                if index % VALUES_PER_TURN == 0 {
                    tokio::task::yield_now().await;
                }
            }
            Outcome::Ok(())
        });
    }
    producers.join_all().await.into_iter().collect()
}

fn insert(bench: &Bench, series: u64, values: u64) -> Outcome<Taken> {
    let scratch = bench.scratch()?;
    let mut raw = Raw::create(&scratch.path().join("raw.db"), Layout::Clustered)?;
    let start = (Instant::now(), cpu_seconds());
    raw.store(0..values, ROWS_PER_COMMIT, |n| {
        (n % series, START_MS + n, Reading::nth(n))
    })?;
    let taken = Taken::new(values, start, 0);
    raw.close()?;
    Ok(taken)
}
