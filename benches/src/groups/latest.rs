//! The newest values of one series, and of every series by pattern, in files of several sizes.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use aimdb_persistence::AimDbQueryExt;
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_workload::{Latencies, Reading, SERIES, series_key};
use tokio::sync::oneshot;

use crate::bench::{Bench, Outcome, runtime};
use crate::history::{self, Db, PATTERN, Temperature};
use crate::raw::Raw;
use crate::report::Report;

/// One of the questions.
struct Question {
    name: &'static str,
    every_series: bool,
    limit: usize,
    /// A cheaper question is asked so many times more often.
    repeats: u64,
}

const QUESTIONS: [Question; 4] = [
    Question {
        name: "latest 1 of one series",
        every_series: false,
        limit: 1,
        repeats: 20,
    },
    Question {
        name: "latest 100 of one series",
        every_series: false,
        limit: 100,
        repeats: 5,
    },
    Question {
        name: "latest 1 of 100 series by pattern",
        every_series: true,
        limit: 1,
        repeats: 5,
    },
    Question {
        name: "latest 100 of 100 series by pattern",
        every_series: true,
        limit: 100,
        repeats: 1,
    },
];

/// Both files of one size, open.
struct Files {
    rows: u64,
    backend: SqliteBackend,
    db: Db,
    raw: Raw,
}

pub(super) fn run(bench: &Bench, report: &mut Report) -> Outcome {
    let runtime = runtime()?;
    let sizes = bench.size(vec![10_000, 1_000_000, 10_000_000], vec![10_000, 1_000_000]);
    let mut files = Vec::new();
    for rows in sizes {
        let backend = history::open(&bench.our_file(rows)?)?;
        files.push(Files {
            rows,
            db: runtime.block_on(history::asking(&backend))?,
            backend,
            raw: Raw::open(&bench.raw_file(rows)?)?,
        });
    }
    for question in &QUESTIONS {
        let repeats = question.repeats * bench.size(200, 50);
        runtime.block_on(ask(&files, question, repeats, report))?;
    }
    for Files { backend, raw, .. } in files {
        runtime.block_on(backend.close())?;
        raw.close()?;
    }
    Ok(())
}

/// The sizes take turns, and so do ours, raw SQLite, and a hop to a thread that does nothing.
async fn ask(files: &[Files], question: &Question, repeats: u64, report: &mut Report) -> Outcome {
    let hop = Hop::start();
    let mut hops = Latencies::new();
    let mut latencies = vec![(Latencies::new(), Latencies::new()); files.len()];
    for turn in 0..repeats {
        let start = Instant::now();
        hop.there_and_back().await?;
        hops.push_since(start);
        let series = turn * 37 % SERIES;
        // Whichever comes first finds the processor as the hop has left it: each size in turn.
        for index in 0..files.len() {
            let index = (index + turn as usize) % files.len();
            let (files, (ours, raw)) = (&files[index], &mut latencies[index]);
            let start = Instant::now();
            let found = ask_ours(&files.db, question, series).await?;
            ours.push_since(start);
            let start = Instant::now();
            let expected = ask_raw(&files.raw, question, series)?;
            raw.push_since(start);
            if found.len() != expected.len() {
                let (found, expected) = (found.len(), expected.len());
                return Err(format!("{}: {found} rows of {expected}", question.name).into());
            }
        }
    }
    for (files, (ours, raw)) in files.iter().zip(latencies) {
        let case = format!("{}, {} rows, median", question.name, files.rows);
        report.beside_raw(&case, "µs", ours.median_us(), raw.median_us());
        if !question.every_series {
            report.beside(&case, "µs", ours.median_us(), ("hop", hops.median_us()));
        }
    }
    Ok(())
}

async fn ask_ours(db: &Db, question: &Question, series: u64) -> Outcome<Vec<Temperature>> {
    let key = series_key(series);
    let pattern = if question.every_series { PATTERN } else { &key };
    Ok(db.query_latest(pattern, question.limit).await?)
}

fn ask_raw(raw: &Raw, question: &Question, series: u64) -> Outcome<Vec<Reading>> {
    let selected = if question.every_series {
        0..SERIES
    } else {
        series..series + 1
    };
    let mut values = Vec::new();
    for series in selected {
        values.extend(raw.latest::<Reading>(series, question.limit as u64)?);
    }
    Ok(values)
}

/// A thread that answers at once: what the way to a thread and back costs, whatever is done there.
struct Hop {
    questions: mpsc::Sender<oneshot::Sender<()>>,
}

impl Hop {
    fn start() -> Self {
        let (questions, received) = mpsc::channel::<oneshot::Sender<()>>();
        thread::spawn(move || {
            for answer in received {
                // Nobody waits for the answer if the run has failed.
                let _ = answer.send(());
            }
        });
        Self { questions }
    }

    async fn there_and_back(&self) -> Outcome {
        let (answer, answered) = oneshot::channel();
        self.questions.send(answer)?;
        Ok(answered.await?)
    }
}
