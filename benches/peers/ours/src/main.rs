//! This project's history on AimDB 1, measured as its peers are.
//!
//! `peer-ours ROWS FOLDER`

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::buffer::BufferCfg;
use aimdb_core::{AimDb, AimDbBuilder, StringKey};
use aimdb_persistence::backend::Rows;
use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, PersistenceBackend, PersistenceOptions, RecordRegistrarPersistExt, options::BacklogLimits};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_workload::{
    Peer, ROWS_PER_COMMIT, Reading, SERIES, START_MS, measure_peer, series_key, series_keys,
};
use aimdb_tokio_adapter::{TokioAdapter, TokioRecordRegistrarExt};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const PATTERN: &str = "temperature.*";

/// With that of 100 records, a million values.
const RING: usize = 10_000;

/// A producer lets other tasks run after so many values.
const VALUES_PER_TURN: u64 = 256;

struct Ours {
    runtime: Runtime,
    backend: SqliteBackend,
    db: AimDb<TokioAdapter>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    measure_peer::<Ours>(&arguments);
}

impl Peer for Ours {
    const NAME: &'static str = "ours";
    const NOTE: &'static str = "through AimDB 1; a commit is synced (Durability::Full)";

    fn create(folder: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let backend = SqliteBackend::new(folder.join("history.db")).unwrap();
        let options = PersistenceOptions::new(Arc::new(backend.clone()), Duration::MAX)
            .backlog(BacklogLimits { rows: 10_000_000, bytes: usize::MAX })
            .flush_deadline(Duration::from_secs(600));
        let mut builder = AimDbBuilder::new()
            .runtime(Arc::new(TokioAdapter))
            .with_persistence_options(options);
        for key in series_keys(SERIES) {
            builder.configure::<Reading>(StringKey::intern(&key), |reg| {
                reg.buffer(BufferCfg::SpmcRing { capacity: RING })
                    .persist(key);
            });
        }
        let db = runtime.block_on(builder.build()).unwrap();
        runtime.block_on(db.flush_persistence()).unwrap();
        Self {
            runtime,
            backend,
            db,
        }
    }

    fn ingest(&mut self, rows: Range<u64>) {
        let keys = series_keys(SERIES);
        self.runtime.block_on(async {
            for n in rows {
                let key = &keys[(n % SERIES) as usize];
                self.db.produce(key, Reading::nth(n)).await.unwrap();
                if n % VALUES_PER_TURN == 0 {
                    tokio::task::yield_now().await;
                }
            }
            self.db.flush_persistence().await.unwrap();
        });
    }

    /// With the rows' own times, as the other peers have them.
    fn fill(&mut self, rows: Range<u64>) {
        let keys = series_keys(SERIES);
        for start in rows.step_by(ROWS_PER_COMMIT as usize) {
            let mut batch = Rows::new();
            for n in start..start + ROWS_PER_COMMIT {
                let json = serde_json::to_string(&Reading::nth(n)).unwrap();
                batch.push(&keys[(n % SERIES) as usize], START_MS + n, &json);
            }
            let stored = self.backend.store_batch(Arc::new(batch));
            let outcome = self.runtime.block_on(stored);
            assert_eq!(outcome.settled as u64, ROWS_PER_COMMIT);
        }
    }

    fn store_from_tasks(&mut self, tasks: Vec<Range<u64>>) {
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            for rows in tasks {
                let backend = self.backend.clone();
                running.spawn(async move {
                    for n in rows {
                        let value = serde_json::to_value(Reading::nth(n)).unwrap();
                        let key = series_key(n % SERIES);
                        backend.store(&key, &value, START_MS + n).await.unwrap();
                    }
                });
            }
            running.join_all().await;
        });
    }

    fn latest(&self, series: u64) -> Option<Reading> {
        let key = series_key(series);
        let newest = self.db.query_latest::<Reading>(&key, 1);
        self.runtime.block_on(newest).unwrap().pop()
    }

    fn latest_of_all(&self) -> Vec<Reading> {
        let newest = self.db.query_latest::<Reading>(PATTERN, 1);
        self.runtime.block_on(newest).unwrap()
    }

    fn scan(&self) -> Vec<Reading> {
        let all = self.db.query_range::<Reading>(PATTERN, 0, u64::MAX, None);
        self.runtime.block_on(all).unwrap()
    }

    fn close(self) {
        drop(self.db);
        self.runtime.block_on(self.backend.close()).unwrap();
    }
}
