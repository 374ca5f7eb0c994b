//! The process of which every call of the file system fails in turn: it does one errand, and reports what it is told.
//! What answers say is checked against what was stored.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;

use aimdb_persistence::backend::{Rows, SeriesDeclaration, SweepRequest};
use aimdb_persistence::{PersistenceBackend, PersistenceError, QueryParams, Retention};
use aimdb_persistence_sqlite::{OnCorruption, SqliteBackend, salvage};
use aimdb_persistence_tests::crash::errand::{Errand, Kind, News};
use aimdb_persistence_tests::crash::{FEW_TAIL_ROWS, Kept, Passing};

/// What fails is tried so often. A fault that passes has passed by then.
const TRIES: usize = 4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        tell(&News::Lied(format!("it panicked: {panic}")));
        std::process::abort()
    }));
    let errand = std::env::args().nth(1).ok_or("an errand is expected")?;
    let errand: Errand = serde_json::from_str(&errand)?;
    let done = match errand.kind {
        Kind::Salvage => save(&errand),
        _ => Run::begin(errand).await,
    };
    if let Err(error) = done {
        tell(&News::Failed(error.to_string()));
    }
    tell(&News::Peak(peak_kib()?));
    // What is dropped may do more than was asked for.
    std::process::exit(0)
}

fn tell(news: &News) {
    println!("{}", serde_json::to_string(news).expect("news are JSON"));
}

fn peak_kib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next());
    Ok(peak.ok_or("there is no peak")?.parse()?)
}

fn save(errand: &Errand) -> Result<(), PersistenceError> {
    let report = salvage(errand.history(), errand.saved())?;
    let gaps = report.damaged_pages + report.damaged_rows + report.rows_without_value;
    tell(&News::Saved(report.rows, gaps));
    Ok(())
}

struct Run {
    errand: Errand,
    backend: SqliteBackend,
    /// By key: so many are stored.
    stored: BTreeMap<String, u64>,
    /// By key: so many may be.
    offered: BTreeMap<String, u64>,
}

impl Run {
    async fn begin(errand: Errand) -> Result<(), PersistenceError> {
        let builder = SqliteBackend::builder(errand.history())
            .durability(errand.durability.into())
            .tail_rows(FEW_TAIL_ROWS)
            .readers(1)
            .on_corruption(OnCorruption::Quarantine);
        let open = async || builder.clone().open();
        let mut run = Self {
            backend: tried(open).await?,
            errand,
            stored: BTreeMap::new(),
            offered: BTreeMap::new(),
        };
        let done = run.go().await;
        run.report();
        done
    }

    async fn go(&mut self) -> Result<(), PersistenceError> {
        let passing = SeriesDeclaration::new("passing.a")
            .with_retention(Some(Retention::Milliseconds(1_000)));
        let backend = self.backend.clone();
        tried(async || backend.declare(std::slice::from_ref(&passing)).await).await?;
        for step in 0..8 {
            // A trickle, which goes to the tail.
            for key in ["kept.a", "kept.b", "passing.a"] {
                self.store(key, 3).await;
            }
            // A run, which goes to the table at once.
            if step % 3 == 1 {
                self.store("kept.a", 70).await;
            }
            match step {
                3 => self.back_up().await,
                4 => self.sweep().await,
                2 | 6 => self.flush().await,
                _ => {}
            }
            self.query().await;
        }
        self.report();
        match self.errand.kind {
            Kind::Abandon => Ok(()),
            _ => self.backend.close().await,
        }
    }

    /// Until they are stored, or cannot be.
    async fn store(&mut self, key: &str, rows: u64) {
        for _ in 0..TRIES {
            let first = self.stored.get(key).copied().unwrap_or(0);
            let offered = self.offered.entry(key.to_owned()).or_default();
            let end = (first + rows).max(*offered);
            *offered = end;
            let mut batch = Rows::new();
            for n in first..end {
                let (at, json) = self.row(key, n);
                batch.push(key, at, &json);
            }
            let outcome = self.backend.store_batch(Arc::new(batch)).await;
            assert!(outcome.refused.is_empty(), "rows are refused: {outcome:?}");
            *self.stored.entry(key.to_owned()).or_default() += outcome.settled as u64;
            match outcome.stopped_by {
                None => return,
                Some(error) => self.allow(error),
            }
        }
    }

    fn row(&self, key: &str, n: u64) -> (u64, String) {
        let (kept, passing) = (
            Kept::new(0, self.errand.run, n),
            Passing::new(0, self.errand.run, n),
        );
        let (at, json) = match key.starts_with("kept.") {
            true => (kept.at, serde_json::to_string(&kept)),
            false => (passing.at, serde_json::to_string(&passing)),
        };
        (at, json.expect("a row is JSON"))
    }

    /// What is answered is right. Rows that were refused may be there.
    async fn query(&self) {
        let rows = match self.backend.query("kept.*", QueryParams::default()).await {
            Ok(rows) => rows,
            Err(error) => return self.allow(error),
        };
        let mut found: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for row in rows {
            let kept: Kept = serde_json::from_value(row.value).expect("what was stored");
            let mark = kept.mark;
            assert!(mark.is_whole(), "{mark:?} is not as it was stored");
            let is_own = mark.run == self.errand.run;
            let is_new = !is_own || found.entry(row.record_name).or_default().insert(mark.n);
            assert!(is_new, "{mark:?} is there twice");
        }
        for (key, count) in self
            .stored
            .iter()
            .filter(|(key, _)| key.starts_with("kept."))
        {
            let numbers = found.remove(key).unwrap_or_default();
            let missing = (0..*count).find(|n| !numbers.contains(n));
            assert_eq!(
                missing, None,
                "an answer lacks a row of {key} that is stored"
            );
        }
    }

    async fn sweep(&self) {
        let half = self.stored.get("passing.a").copied().unwrap_or(0) / 2;
        let before_ms = Passing::new(0, self.errand.run, half).at;
        tell(&News::Passing(before_ms));
        let request = SweepRequest {
            now_ms: before_ms + 1_000,
            default_retention: Retention::Forever,
            longest_retention: Retention::Forever,
            max_ahead_ms: 3_600_000,
            clock_is_trusted: true,
        };
        if let Err(error) = tried(async || self.backend.sweep(request).await).await {
            self.allow(error);
        }
    }

    async fn flush(&self) {
        match tried(async || self.backend.flush().await).await {
            Ok(()) => self.report(),
            Err(error) => self.allow(error),
        }
    }

    async fn back_up(&self) {
        if self.errand.kind != Kind::BackUp {
            return;
        }
        match self.backend.backup_to(self.errand.copy()).await {
            Ok(()) => tell(&News::BackedUp(self.stored.clone())),
            Err(error) => self.allow(error),
        }
    }

    fn report(&self) {
        tell(&News::Stored(self.stored.clone()));
    }

    fn allow(&self, error: impl Display) {
        assert!(self.errand.may_fail, "nothing was to fail: {error}");
    }
}

async fn tried<T>(
    attempt: impl AsyncFn() -> Result<T, PersistenceError>,
) -> Result<T, PersistenceError> {
    let mut result = attempt().await;
    for _ in 1..TRIES {
        if result.is_ok() {
            break;
        }
        result = attempt().await;
    }
    result
}
