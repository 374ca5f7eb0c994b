//! What flash memory has to bear: syncs, and bytes written to the device for each row.
//!
//! Each load runs in a process of its own, whose counters nothing else moves: `write_bytes` of `/proc/self/io`, the
//! commits as SQLite itself counts them, and, where `strace` is installed, the syncs that the system sees.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aimdb_persistence::AimDbQueryExt;
use aimdb_persistence_workload::{ROWS_PER_COMMIT, SERIES, device_bytes_written, series_keys};
use serde::{Deserialize, Serialize};

use crate::bench::{Bench, Outcome, arrival, in_child, runtime};
use crate::history::{self, Temperature};
use crate::raw::{Layout, Raw};
use crate::report::Report;

const VALUES_PER_SECOND: u64 = 100;

/// How long a value waits, by default, for others to share its commit.
const LINGER: Duration = Duration::from_millis(250);

/// Rows that a trickle puts into one commit where one is due so often.
const ROWS_PER_LINGER: u64 = VALUES_PER_SECOND / 4;

/// What a child measures.
#[derive(Serialize, Deserialize)]
struct Wear {
    rows: u64,
    seconds: f64,
    commits: u64,
    /// Written by the time the last row was durable, and by the time the file was closed.
    bytes: u64,
    bytes_when_closed: u64,
    /// Written in the time of rest after the last row.
    idle_bytes: u64,
    /// Between these two moments, in Unix seconds, rows were stored; then came the rest.
    started_at: f64,
    ended_at: f64,
    rested_at: f64,
}

/// The traced syncs of a child while rows were stored, and while it rested.
type Syncs = Option<(usize, usize)>;

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let seconds = bench.size(60, 3).to_string();
    let rows = bench.size(100_000, 10_000).to_string();
    let flood = bench.size(1_000_000, 200_000).to_string();
    for (load, amount, case) in [
        (
            "trickle",
            &seconds,
            format!("{VALUES_PER_SECOND} values/s for {seconds} s"),
        ),
        (
            "compressed",
            &rows,
            format!("the same trickle without pauses, {rows} rows"),
        ),
        ("flood", &flood, format!("flood of {flood} rows")),
    ] {
        let (ours, our_syncs) = measure(bench, "ours", load, amount)?;
        let (raw, raw_syncs) = measure(bench, "raw", load, amount)?;
        add(report, &case, (&ours, our_syncs), (&raw, raw_syncs));
    }
    Ok(())
}

fn add(report: &mut Report, case: &str, ours: (&Wear, Syncs), raw: (&Wear, Syncs)) {
    let both = [ours.0, raw.0];
    let mut beside = |what: &str, unit, of: fn(&Wear) -> f64| {
        let [ours, raw] = both.map(of);
        report.beside_raw(format!("{case}, {what}"), unit, ours, raw);
    };
    beside("commits", "1/s", |w| w.commits as f64 / w.seconds);
    beside("written", "bytes/row", |w| w.bytes as f64 / w.rows as f64);
    let per_row_closed = |w: &Wear| w.bytes_when_closed as f64 / w.rows as f64;
    beside("written until closed", "bytes/row", per_row_closed);
    beside("written when idle", "bytes", |w| w.idle_bytes as f64);
    if let (Some((our_syncs, our_idle)), Some((raw_syncs, raw_idle))) = (ours.1, raw.1) {
        let per_second = |syncs: usize, wear: &Wear| syncs as f64 / wear.seconds;
        let (ours, raw) = (per_second(our_syncs, ours.0), per_second(raw_syncs, raw.0));
        report.beside_raw(format!("{case}, syncs"), "1/s", ours, raw);
        let case = format!("{case}, syncs when idle");
        report.beside_raw(case, "syncs", our_idle as f64, raw_idle as f64);
    }
}

fn measure(bench: &Bench, engine: &str, load: &str, amount: &str) -> Outcome<(Wear, Syncs)> {
    let scratch = bench.scratch()?;
    let (file, trace) = (
        scratch.path().join("history.db"),
        scratch.path().join("trace"),
    );
    let text = |path: &Path| {
        path.to_str()
            .map(str::to_owned)
            .ok_or("the folder is not UTF-8")
    };
    let (file, trace) = (text(&file)?, text(&trace)?);
    let arguments = ["wear", engine, load, amount, &file];
    if !is_traceable() {
        return Ok((in_child(&[], &arguments)?, None));
    }
    let syncs = "trace=fsync,fdatasync,msync,sync_file_range";
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-ttt",
        "-e",
        "signal=none",
        "-e",
        syncs,
        "-o",
        &trace,
    ];
    let wear: Wear = in_child(&strace, &arguments)?;
    let times = sync_times(&fs::read_to_string(trace)?)?;
    let between = |from, to| times.iter().filter(|at| (from..=to).contains(*at)).count();
    let syncs = (
        between(wear.started_at, wear.ended_at),
        between(wear.ended_at, wear.rested_at),
    );
    Ok((wear, Some(syncs)))
}

fn is_traceable() -> bool {
    let strace = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    strace.is_ok_and(|status| status.success())
}

/// When each sync began. A line reads `PID TIME CALL(…`; that of a call which went on later, `PID TIME <... CALL resumed>`.
fn sync_times(trace: &str) -> Outcome<Vec<f64>> {
    let mut times = Vec::new();
    for line in trace.lines() {
        let mut words = line.split_whitespace().skip(1);
        if let (Some(time), Some(call)) = (words.next(), words.next())
            && call.contains('(')
        {
            times.push(time.parse()?);
        }
    }
    Ok(times)
}

pub(super) fn run_child(arguments: &[&str]) -> Outcome {
    let [engine, load, amount, file] = arguments else {
        return Err("usage: ours|raw trickle|compressed|flood AMOUNT FILE".into());
    };
    let (amount, path) = (amount.parse()?, Path::new(file));
    let wear = match *engine {
        "ours" => runtime()?.block_on(wear_of_ours(load, amount, path))?,
        _ => wear_of_raw(load, amount, path)?,
    };
    println!("{}", serde_json::to_string(&wear)?);
    Ok(())
}

async fn wear_of_ours(load: &str, amount: u64, path: &Path) -> Outcome<Wear> {
    let backend = history::open(path)?;
    let mut builder = history::builder(history::options(&backend));
    for index in 0..SERIES {
        history::series(index).register(&mut builder);
    }
    let db = builder.build().await?;
    // Opening, declaring and the first sweep lie behind.
    db.flush_persistence().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let meter = Meter::start(path)?;
    let rows = match load {
        "trickle" => {
            let keys = series_keys(SERIES);
            let mut ticks =
                tokio::time::interval(Duration::from_secs(1) / VALUES_PER_SECOND as u32);
            for n in 0..amount * VALUES_PER_SECOND {
                ticks.tick().await;
                db.produce(&keys[(n % SERIES) as usize], Temperature::nth(n))
                    .await?;
            }
            amount * VALUES_PER_SECOND
        }
        "compressed" => {
            history::store_rows(&backend, 0..amount, ROWS_PER_LINGER, arrival).await?;
            amount
        }
        _ => {
            history::store_rows(&backend, 0..amount, ROWS_PER_COMMIT, arrival).await?;
            amount
        }
    };
    db.flush_persistence().await?;
    let mut wear = meter.stop(path, rows)?;
    tokio::time::sleep(REST).await;
    wear.rested(&meter)?;
    drop(db);
    backend.close().await?;
    wear.closed(&meter);
    Ok(wear)
}

/// How long nothing is done, to see that nothing is written. What the last rows leave behind may settle before that.
const REST: Duration = Duration::from_secs(2);

fn wear_of_raw(load: &str, amount: u64, path: &Path) -> Outcome<Wear> {
    let mut raw = Raw::create(path, Layout::Clustered)?;
    raw.store(0..1, 1, arrival)?;
    let meter = Meter::start(path)?;
    let rows = match load {
        "trickle" => {
            let rows = amount * VALUES_PER_SECOND;
            for start in (0..rows).step_by(ROWS_PER_LINGER as usize) {
                raw.store(start..start + ROWS_PER_LINGER, ROWS_PER_LINGER, arrival)?;
                std::thread::sleep(LINGER);
            }
            rows
        }
        "compressed" => {
            raw.store(1..amount, ROWS_PER_LINGER, arrival)?;
            amount
        }
        _ => {
            raw.store(1..amount, ROWS_PER_COMMIT, arrival)?;
            amount
        }
    };
    let mut wear = meter.stop(path, rows)?;
    std::thread::sleep(REST);
    wear.rested(&meter)?;
    raw.close()?;
    wear.closed(&meter);
    Ok(wear)
}

/// The counters as they stood when rows began to be stored.
struct Meter {
    bytes: u64,
    commits: u32,
    at: f64,
}

impl Meter {
    fn start(path: &Path) -> Outcome<Self> {
        Ok(Self {
            bytes: device_bytes_written(),
            commits: commits(path)?,
            at: unix_seconds()?,
        })
    }

    fn stop(&self, path: &Path, rows: u64) -> Outcome<Wear> {
        let ended_at = unix_seconds()?;
        Ok(Wear {
            rows,
            seconds: ended_at - self.at,
            commits: u64::from(commits(path)?.wrapping_sub(self.commits)),
            bytes: device_bytes_written() - self.bytes,
            bytes_when_closed: 0,
            idle_bytes: 0,
            started_at: self.at,
            ended_at,
            rested_at: ended_at,
        })
    }
}

impl Wear {
    fn rested(&mut self, meter: &Meter) -> Outcome {
        self.idle_bytes = device_bytes_written() - meter.bytes - self.bytes;
        self.rested_at = unix_seconds()?;
        Ok(())
    }

    fn closed(&mut self, meter: &Meter) {
        self.bytes_when_closed = device_bytes_written() - meter.bytes;
    }
}

/// SQLite counts the transactions of a write-ahead log in the log's index: the third word of its header.
///
/// Another process reads it: were it opened and closed in this one, SQLite's locks on it would be gone.
fn commits(path: &Path) -> Outcome<u32> {
    let mut name = path.as_os_str().to_owned();
    name.push("-shm");
    let index = Command::new("cat").arg(name).output()?.stdout;
    let word = index.get(8..12).ok_or("the log has no index")?;
    Ok(u32::from_ne_bytes(word.try_into()?))
}

fn unix_seconds() -> Outcome<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64())
}
