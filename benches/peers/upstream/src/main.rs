//! Upstream's published history on AimDB 1, as its README shows it.
//!
//! `peer-upstream ROWS FOLDER`

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aimdb_core::buffer::BufferCfg;
use aimdb_core::{AimDb, AimDbBuilder, StringKey};
use aimdb_persistence::backend::PersistenceBackend;
use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, RecordRegistrarPersistExt};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_workload::{
    Peer, Reading, SERIES, START_MS, measure_peer, series_key, series_keys,
};
use aimdb_tokio_adapter::{TokioAdapter, TokioRecordRegistrarExt};
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const PATTERN: &str = "temperature.*";

/// More than any series gets at once: what a smaller ring loses, upstream does not report.
const RING: usize = 4_096;

/// Upstream has no flush: it is done once nothing more arrives for so long.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

struct Upstream {
    runtime: Runtime,
    backend: Arc<SqliteBackend>,
    db: AimDb<TokioAdapter>,
    file: PathBuf,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    measure_peer::<Upstream>(&arguments);
}

impl Peer for Upstream {
    const NAME: &'static str = "upstream";
    const NOTE: &'static str = "aimdb-persistence-sqlite 0.1.1 through AimDB 1; every row a commit of its own, which is synced (counted \
         with strace); 2 % of the rows for ingest; the file for the queries is filled with SQL";
    const SHARE_OF_ROWS: f64 = 0.02;

    fn create(folder: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let file = folder.join("history.db");
        let backend = Arc::new(SqliteBackend::new(&file).unwrap());
        let mut builder = AimDbBuilder::new()
            .runtime(Arc::new(TokioAdapter))
            .with_persistence(backend.clone(), Duration::from_secs(100 * 365 * 86_400));
        for key in series_keys(SERIES) {
            builder.configure::<Reading>(StringKey::intern(&key), |reg| {
                reg.buffer(BufferCfg::SpmcRing { capacity: RING })
                    .persist(key);
            });
        }
        let db = runtime.block_on(builder.build()).unwrap();
        // It subscribes in tasks of its own: values produced before are not recorded.
        std::thread::sleep(Duration::from_millis(500));
        Self {
            runtime,
            backend,
            db,
            file,
        }
    }

    fn ingest(&mut self, rows: Range<u64>) {
        let wanted = rows.end - rows.start;
        let keys = series_keys(SERIES);
        self.runtime.block_on(async {
            for n in rows {
                let key = &keys[(n % SERIES) as usize];
                self.db.produce(key, Reading::nth(n)).await.unwrap();
            }
        });
        let (mut stored, mut since) = (0, Instant::now());
        while stored < wanted && since.elapsed() < SETTLED_AFTER {
            std::thread::sleep(Duration::from_millis(20));
            let now = self.count();
            if now > stored {
                (stored, since) = (now, Instant::now());
            }
        }
    }

    fn fill(&mut self, rows: Range<u64>) {
        let mut connection = Connection::open(&self.file).unwrap();
        let transaction = connection.transaction().unwrap();
        let sql =
            "INSERT INTO record_history (record_name, value_json, stored_at) VALUES (?1, ?2, ?3)";
        let mut insert = transaction.prepare(sql).unwrap();
        for n in rows {
            let json = serde_json::to_string(&Reading::nth(n)).unwrap();
            let row = (series_key(n % SERIES), json, (START_MS + n) as i64);
            insert.execute(row).unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
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
        let all = self
            .db
            .query_range::<Reading>(PATTERN, 0, i64::MAX as u64, None);
        self.runtime.block_on(all).unwrap()
    }

    /// Moves its log into the file, as closing the last connection would: its own may outlive the database.
    fn close(self) {
        let Self {
            runtime,
            backend,
            db,
            file,
        } = self;
        drop((db, backend));
        runtime.shutdown_timeout(Duration::from_secs(5));
        let connection = Connection::open(file).unwrap();
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        connection.query_row(checkpoint, [], |_| Ok(())).unwrap();
    }
}

impl Upstream {
    /// Rows in the file, counted beside its own connection.
    fn count(&self) -> u64 {
        let connection = Connection::open(&self.file).unwrap();
        let sql = "SELECT count(*) FROM record_history";
        let rows: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        rows as u64
    }
}
