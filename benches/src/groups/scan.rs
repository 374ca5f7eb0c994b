//! Every row of a large file: decoded into a type, as JSON with key and time, and page by page.
//!
//! Each scan runs in a process of its own, whose memory nothing else has grown.

use std::path::Path;
use std::time::Instant;

use aimdb_persistence::backend::ReadRequest;
use aimdb_persistence::{AimDbQueryExt, Pattern, Persist, PersistenceBackend, QueryParams};
use aimdb_persistence_workload::{
    Reading, median, peak_resident_bytes, resident_bytes, series_key,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bench::{Bench, Outcome, in_child, runtime};
use crate::history::{self, PATTERN, Temperature};
use crate::raw::{Raw, decoded};
use crate::report::Report;

const PAGE_ROWS: usize = 10_000;
const PAGE_BYTES: usize = 4 << 20;

/// What a child measures.
#[derive(Serialize, Deserialize)]
struct Scan {
    rows: u64,
    seconds: f64,
    grown_bytes: u64,
}

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let rows = 1_000_000;
    for form in ["typed", "at once", "json", "paged"] {
        compare(bench, report, form, rows)?;
    }
    if !bench.quick {
        compare(bench, report, "paged", 10_000_000)?;
    }
    Ok(())
}

fn compare(bench: &Bench, report: &mut Report, form: &str, rows: u64) -> Outcome {
    let (our_file, raw_file) = (bench.our_file(rows)?, bench.raw_file(rows)?);
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..bench.size(3, 1) {
        ours.push(scan_in_child("ours", form, &our_file, rows)?);
        raw.push(scan_in_child("raw", form, &raw_file, rows)?);
    }
    let rate = |scans: &[Scan]| median(scans.iter().map(|s| rows as f64 / s.seconds).collect());
    let grown = |scans: &[Scan]| median(scans.iter().map(|s| s.grown_bytes as f64).collect());
    let case = format!("{form}, {rows} rows");
    report.beside_raw(&case, "rows/s", rate(&ours), rate(&raw));
    let mebibytes = |scans: &[Scan]| grown(scans) / f64::from(1 << 20);
    let case = format!("{case}, memory grows by");
    report.beside_raw(case, "MiB", mebibytes(&ours), mebibytes(&raw));
    Ok(())
}

fn scan_in_child(engine: &str, form: &str, file: &Path, rows: u64) -> Outcome<Scan> {
    let file = file.to_str().ok_or("the folder's name is not UTF-8")?;
    let scan: Scan = in_child(&[], &["scan", engine, form, file])?;
    if scan.rows != rows {
        return Err(format!("{engine}, {form}: {} rows of {rows}", scan.rows).into());
    }
    Ok(scan)
}

pub(super) fn run_child(arguments: &[&str]) -> Outcome {
    let [engine, form, file] = arguments else {
        return Err("usage: ours|raw typed|at once|json|paged FILE".into());
    };
    let path = Path::new(file);
    let scan = match *engine {
        "ours" => scan_ours(path, form)?,
        _ => scan_raw(path, form)?,
    };
    println!("{}", serde_json::to_string(&scan)?);
    Ok(())
}

fn scan_ours(path: &Path, form: &str) -> Outcome<Scan> {
    runtime()?.block_on(async {
        let backend = history::open(path)?;
        let db = history::asking(&backend).await?;
        db.query_latest::<Temperature>(PATTERN, 1).await?;
        let (start, before) = (Instant::now(), resident_bytes());
        let rows = match form {
            "typed" => Temperature::query_range(&db, 0, u64::MAX, None)
                .await?
                .len(),
            "at once" => {
                let values: Vec<Temperature> = db.query_range(PATTERN, 0, u64::MAX, None).await?;
                values.len()
            }
            "json" => db.query_raw(PATTERN, QueryParams::default()).await?.len(),
            _ => read_pages(&backend).await?,
        };
        let scan = finished(rows, start, before);
        backend.close().await?;
        Ok(scan)
    })
}

/// Decodes each page and lets it go.
async fn read_pages(backend: &impl PersistenceBackend) -> Outcome<usize> {
    let mut rows = 0;
    let mut request = ReadRequest::new(Pattern::parse(PATTERN)?).with_page(PAGE_ROWS, PAGE_BYTES);
    loop {
        let page = backend.read(request.clone()).await?;
        for row in page.rows.iter() {
            std::hint::black_box(serde_json::from_str::<Temperature>(row.json)?);
        }
        rows += page.rows.len();
        match page.next {
            Some(cursor) => request.after = Some(cursor),
            None => return Ok(rows),
        }
    }
}

fn scan_raw(path: &Path, form: &str) -> Outcome<Scan> {
    let raw = Raw::open(path)?;
    raw.latest::<Reading>(0, 1)?;
    let (start, before) = (Instant::now(), resident_bytes());
    let rows = match form {
        "typed" | "at once" => {
            let mut values: Vec<Reading> = Vec::new();
            raw.scan(|_, _, json| values.push(decoded(json)))?;
            values.len()
        }
        "json" => {
            let mut values: Vec<(String, u64, Value)> = Vec::new();
            raw.scan(|series, at, json| values.push((series_key(series), at, decoded(json))))?;
            values.len()
        }
        _ => {
            let mut rows = 0;
            raw.scan(|_, _, json| {
                std::hint::black_box(decoded::<Reading>(json));
                rows += 1;
            })?;
            rows
        }
    };
    Ok(finished(rows, start, before))
}

/// The peak since the process started lies in the scan: nothing before it took more.
fn finished(rows: usize, start: Instant, before: u64) -> Scan {
    Scan {
        rows: rows as u64,
        seconds: start.elapsed().as_secs_f64(),
        grown_bytes: peak_resident_bytes().saturating_sub(before),
    }
}
