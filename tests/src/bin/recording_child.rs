//! The process that the crash tests kill: it records as its assignment says, and reports what is stored.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::backend::SweepRequest;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceBackend, PersistenceError,
    PersistenceOptions, PersistenceStats, Retention,
};
use aimdb_persistence_sqlite::{OnCorruption, SqliteBackend};
use aimdb_persistence_tests::aimdb1 as aimdb;
use aimdb_persistence_tests::crash::{
    Assignment, Ending, KEPT_SERIES, Kept, PASSING_SERIES, Passing, Report,
};
use aimdb_persistence_tests::waiting::eventually;

/// A flush that fails for ever is given up soon enough to be tried again.
const FAULTY_FLUSH: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    // A panic in whichever task or thread is not to be taken for the end that the parent has in mind.
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::abort()
    }));
    let assignment = std::env::args().nth(1).ok_or("an assignment is expected")?;
    let assignment: Assignment = serde_json::from_str(&assignment)?;
    let (steps, ending) = (assignment.steps, assignment.ending);
    report(&Report::Begun(assignment.run));
    let mut recording = Recording::begin(assignment).await?;
    report(&Report::Ready);
    for _ in 0..steps {
        recording.take_a_step().await?;
    }
    match ending {
        Ending::Abrupt => {}
        Ending::Closed => recording.close().await?,
        Ending::Idle => recording.idle().await,
        Ending::Flushed => recording.flush_and_go_on().await?,
    }
    // Dropping the database would write what is pending.
    std::process::exit(0)
}

fn report(report: &Report) {
    println!(
        "{}",
        serde_json::to_string(report).expect("a report is JSON")
    );
}

struct Recording {
    assignment: Assignment,
    random: fastrand::Rng,
    backend: SqliteBackend,
    db: Arc<aimdb::Db>,
    /// By key.
    produced: BTreeMap<String, u64>,
}

impl Recording {
    async fn begin(assignment: Assignment) -> Result<Self, Box<dyn Error>> {
        let builder = SqliteBackend::builder(&assignment.path)
            .durability(assignment.durability.into())
            .tail_rows(assignment.tail_rows)
            .on_corruption(match assignment.quarantine {
                true => OnCorruption::Quarantine,
                false => OnCorruption::default(),
            });
        let builder = match assignment.chunk_rows {
            Some(rows) => builder.chunks_of(rows),
            None => builder,
        };
        let mut opened = builder.clone().open();
        for _ in 0..5 {
            if opened.is_err() && !assignment.faults.is_empty() {
                opened = builder.clone().open();
            }
        }
        let backend = opened?;
        let options = PersistenceOptions::new(Arc::new(backend.clone()), Duration::MAX)
            .linger(Duration::from_millis(1));
        let options = match assignment.faults.is_empty() {
            true => options,
            false => options.flush_deadline(FAULTY_FLUSH),
        };
        let mut builder = aimdb::builder().with_persistence_options(options);
        for series in KEPT_SERIES {
            Kept::series(name_in(series, &assignment)).register(&mut builder);
        }
        for series in PASSING_SERIES {
            Passing::series(name_in(series, &assignment)).register(&mut builder);
        }
        Ok(Self {
            random: fastrand::Rng::with_seed(assignment.seed),
            assignment,
            backend,
            db: Arc::new(aimdb::build(builder).await),
            produced: BTreeMap::new(),
        })
    }

    async fn take_a_step(&mut self) -> Result<(), Box<dyn Error>> {
        match self.random.u8(0..100) {
            // A trickle of values, which goes to the tail.
            0..45 => {
                for _ in 0..self.random.usize(1..8) {
                    self.produce(1).await;
                }
            }
            // A run of one series, which goes to the table at once.
            45..60 => {
                let values = self.random.usize(8..60);
                self.produce(values).await;
            }
            // A flood.
            60..63 => {
                for _ in 0..3 {
                    self.produce(200).await;
                }
            }
            63..73 => self.sweep().await?,
            73..83 => {
                let db = Arc::clone(&self.db);
                let may_fail = self.may_fail();
                tokio::spawn(async move {
                    let asked = Kept::query_latest(&*db, 20).await;
                    assert!(asked.is_ok() || may_fail, "{asked:?}");
                });
            }
            _ => tokio::time::sleep(Duration::from_micros(self.random.u64(0..1_500))).await,
        }
        match self.random.u8(0..5) {
            0 if self.assignment.flushes => {
                self.flush().await?;
            }
            1 | 2 => self.report_stored(),
            _ => {}
        }
        Ok(())
    }

    /// Produces values of one series.
    async fn produce(&mut self, values: usize) {
        let index = self
            .random
            .usize(0..KEPT_SERIES.len() + PASSING_SERIES.len());
        let (writer, run) = (self.assignment.writer, self.assignment.run);
        for _ in 0..values {
            match KEPT_SERIES.get(index) {
                Some(series) => {
                    let key = format!("kept.{}", name_in(series, &self.assignment));
                    let n = self.next_number(&key);
                    aimdb::produce(&self.db, &key, Kept::new(writer, run, n)).await;
                }
                None => {
                    let series = PASSING_SERIES[index - KEPT_SERIES.len()];
                    let key = format!("passing.{}", name_in(series, &self.assignment));
                    let n = self.next_number(&key);
                    aimdb::produce(&self.db, &key, Passing::new(writer, run, n)).await;
                }
            }
        }
    }

    fn next_number(&mut self, key: &str) -> u64 {
        let count = self.produced.entry(key.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    /// Lets half of what has been produced of the passing series expire.
    async fn sweep(&mut self) -> Result<(), Box<dyn Error>> {
        let passing = self
            .produced
            .iter()
            .filter(|(key, _)| key.starts_with("passing."));
        let half = passing.map(|(_, produced)| produced / 2).max().unwrap_or(0);
        let Assignment { writer, run, .. } = self.assignment;
        let before_ms = Passing::new(writer, run, half).at;
        report(&Report::Passing(before_ms));
        let request = SweepRequest {
            now_ms: before_ms + 1_000,
            default_retention: Retention::Forever,
            longest_retention: Retention::Forever,
            max_ahead_ms: 3_600_000,
            clock_is_trusted: true,
        };
        let (backend, may_fail) = (self.backend.clone(), self.may_fail());
        let sweep = async move {
            let swept = backend.sweep(request).await;
            // One that is still under way at the end is told that the backend has shut down.
            let has_ended = matches!(swept, Err(PersistenceError::BackendShutdown));
            assert!(swept.is_ok() || may_fail || has_ended, "{swept:?}");
        };
        if self.random.bool() {
            sweep.await;
        } else {
            tokio::spawn(sweep);
        }
        Ok(())
    }

    /// Whether what the file system is asked for may fail: then failures are no failures of the test.
    fn may_fail(&self) -> bool {
        !self.assignment.faults.is_empty()
    }

    /// Says whether it has succeeded.
    async fn flush(&self) -> Result<bool, Box<dyn Error>> {
        let produced = self.produced.clone();
        let flushed = self.db.flush_persistence().await;
        // Values that have failed have been told of, and are not among the first so many any more.
        let lost = self.stats().total.lost();
        match flushed {
            Ok(()) if lost == 0 => report(&Report::Flushed(produced)),
            Ok(()) if self.may_fail() => {}
            Err(_) if self.may_fail() => return Ok(false),
            flushed => panic!("{flushed:?}, {lost} values lost"),
        }
        Ok(true)
    }

    /// Until a flush has succeeded, or the disk can be seen not to recover.
    async fn flush_and_go_on(&mut self) -> Result<(), Box<dyn Error>> {
        let mut flushed = false;
        for _ in 0..3 {
            flushed = flushed || self.flush().await?;
            for _ in 0..4 {
                self.take_a_step().await?;
            }
        }
        report(&Report::Lost(self.stats().total.lost()));
        Ok(())
    }

    fn stats(&self) -> PersistenceStats {
        self.db.persistence_stats().expect("there is a history")
    }

    async fn close(&self) -> Result<(), Box<dyn Error>> {
        let closed = self.db.close_persistence(Duration::from_secs(60)).await?;
        assert!(closed.complete, "{closed:?}");
        self.backend.close().await?;
        report(&Report::Flushed(self.produced.clone()));
        Ok(())
    }

    async fn idle(&self) {
        let pending = || self.stats().total.pending;
        eventually("everything is stored", || pending() == 0).await;
        self.report_stored();
        report(&Report::Idle);
        std::future::pending().await
    }

    fn report_stored(&self) {
        let stats = self.stats();
        if self.may_fail() && stats.total.lost() > 0 {
            return;
        }
        assert_eq!(stats.total.lost(), 0, "{stats:?}");
        let stored = stats.records.into_iter();
        report(&Report::Stored(
            stored
                .map(|record| (record.record_name, record.counts.stored))
                .collect(),
        ));
    }
}

/// The name of a series, which all processes share or which is this one's own.
fn name_in(series: &str, assignment: &Assignment) -> String {
    match series {
        "shared" => series.to_owned(),
        own => format!("{own}{}", assignment.writer),
    }
}
