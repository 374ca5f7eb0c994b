//! A history kept by hand with sqlx: a pool, queries with bound values, one transaction for many rows.
//!
//! `peer-sqlx ROWS FOLDER`

use std::ops::Range;
use std::path::Path;

use aimdb_persistence_workload::{
    Peer, ROWS_PER_COMMIT, Reading, SERIES, START_MS, measure_peer, series_key,
};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const TABLE: &str = "CREATE TABLE history (
    id INTEGER PRIMARY KEY, series TEXT NOT NULL, stored_at INTEGER NOT NULL, value TEXT NOT NULL
)";
const INDEX: &str = "CREATE INDEX history_by_time ON history (series, stored_at)";
const INSERT: &str = "INSERT INTO history (series, stored_at, value) VALUES (?1, ?2, ?3)";
const LATEST: &str = "SELECT value FROM history WHERE series = ?1 ORDER BY stored_at DESC LIMIT 1";
const SCAN: &str = "SELECT value FROM history ORDER BY series, stored_at";

struct Sqlx {
    runtime: Runtime,
    /// SQLite has one writer at a time: a second connection would only find the file locked.
    writer: SqlitePool,
    readers: SqlitePool,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    measure_peer::<Sqlx>(&arguments);
}

impl Peer for Sqlx {
    const NAME: &'static str = "sqlx";
    const NOTE: &'static str = "a commit is synced (WAL, synchronous = FULL); no AimDB; keys as text in every row, and an index over them";

    fn create(folder: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.join("history.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let (writer, readers) = runtime.block_on(async {
            let writer = SqlitePoolOptions::new().max_connections(1);
            let writer = writer.connect_with(options.clone()).await.unwrap();
            for statement in [TABLE, INDEX] {
                sqlx::query(statement).execute(&writer).await.unwrap();
            }
            (writer, SqlitePool::connect_with(options).await.unwrap())
        });
        Self {
            runtime,
            writer,
            readers,
        }
    }

    fn ingest(&mut self, rows: Range<u64>) {
        self.runtime.block_on(async {
            let mut start = rows.start;
            while start < rows.end {
                let end = rows.end.min(start + ROWS_PER_COMMIT);
                let mut transaction = self.writer.begin().await.unwrap();
                for n in start..end {
                    insert(&mut *transaction, n).await;
                }
                transaction.commit().await.unwrap();
                start = end;
            }
        });
    }

    fn store_from_tasks(&mut self, tasks: Vec<Range<u64>>) {
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            for rows in tasks {
                let writer = self.writer.clone();
                running.spawn(async move {
                    for n in rows {
                        insert(&writer, n).await;
                    }
                });
            }
            running.join_all().await;
        });
    }

    fn latest(&self, series: u64) -> Option<Reading> {
        self.runtime.block_on(latest(&self.readers, series))
    }

    fn latest_of_all(&self) -> Vec<Reading> {
        self.runtime.block_on(async {
            let mut values = Vec::new();
            for series in 0..SERIES {
                values.extend(latest(&self.readers, series).await);
            }
            values
        })
    }

    fn scan(&self) -> Vec<Reading> {
        let all = sqlx::query_scalar::<_, String>(SCAN).fetch_all(&self.readers);
        let texts = self.runtime.block_on(all).unwrap();
        texts.iter().map(|text| decoded(text)).collect()
    }

    fn close(self) {
        self.runtime.block_on(async {
            self.readers.close().await;
            self.writer.close().await;
        });
    }
}

async fn insert<'e>(executor: impl sqlx::Executor<'e, Database = sqlx::Sqlite>, n: u64) {
    sqlx::query(INSERT)
        .bind(series_key(n % SERIES))
        .bind((START_MS + n) as i64)
        .bind(serde_json::to_string(&Reading::nth(n)).unwrap())
        .execute(executor)
        .await
        .unwrap();
}

async fn latest(pool: &SqlitePool, series: u64) -> Option<Reading> {
    let text = sqlx::query_scalar::<_, String>(LATEST)
        .bind(series_key(series))
        .fetch_optional(pool)
        .await
        .unwrap()?;
    Some(decoded(&text))
}

fn decoded(text: &str) -> Reading {
    serde_json::from_str(text).unwrap()
}
