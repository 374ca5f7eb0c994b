//! redb, as its README shows it: a table, a transaction for every batch, `Durability::Immediate` (its default).

use std::ops::Range;
use std::path::Path;
use std::thread;

use aimdb_persistence_workload::{Peer, ROWS_PER_COMMIT, Reading, SERIES, START_MS};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

type Key = (u32, u64, u64);

const ROWS: TableDefinition<'_, Key, &str> = TableDefinition::new("rows");

pub struct Redb {
    database: Database,
}

impl Peer for Redb {
    const NAME: &'static str = "redb";
    const NOTE: &'static str =
        "a commit is synced (Durability::Immediate); no AimDB, no series names";

    fn create(folder: &Path) -> Self {
        let database = Database::create(folder.join("rows.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(ROWS).unwrap();
        transaction.commit().unwrap();
        Self { database }
    }

    fn ingest(&mut self, rows: Range<u64>) {
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + ROWS_PER_COMMIT);
            let transaction = self.database.begin_write().unwrap();
            insert(&transaction, start..end);
            transaction.commit().unwrap();
            start = end;
        }
    }

    fn store_from_tasks(&mut self, tasks: Vec<Range<u64>>) {
        thread::scope(|scope| {
            for rows in tasks {
                let database = &self.database;
                scope.spawn(move || {
                    for n in rows {
                        let transaction = database.begin_write().unwrap();
                        insert(&transaction, n..n + 1);
                        transaction.commit().unwrap();
                    }
                });
            }
        });
    }

    fn latest(&self, series: u64) -> Option<Reading> {
        let table = self.database.begin_read().unwrap();
        let table = table.open_table(ROWS).unwrap();
        let newest = table.range(rows_of(series)).unwrap().next_back()?;
        Some(serde_json::from_str(newest.unwrap().1.value()).unwrap())
    }

    fn latest_of_all(&self) -> Vec<Reading> {
        let table = self.database.begin_read().unwrap();
        let table = table.open_table(ROWS).unwrap();
        let newest = |series| table.range(rows_of(series)).unwrap().next_back();
        let rows = (0..SERIES).filter_map(newest);
        rows.map(|row| serde_json::from_str(row.unwrap().1.value()).unwrap())
            .collect()
    }

    fn scan(&self) -> Vec<Reading> {
        let table = self.database.begin_read().unwrap();
        let table = table.open_table(ROWS).unwrap();
        let rows = table.iter().unwrap();
        rows.map(|row| serde_json::from_str(row.unwrap().1.value()).unwrap())
            .collect()
    }

    fn close(self) {}
}

fn rows_of(series: u64) -> std::ops::RangeInclusive<Key> {
    (series as u32, 0, 0)..=(series as u32, u64::MAX, u64::MAX)
}

fn insert(transaction: &WriteTransaction, rows: Range<u64>) {
    let mut table = transaction.open_table(ROWS).unwrap();
    let mut json = Vec::new();
    for n in rows {
        json.clear();
        serde_json::to_writer(&mut json, &Reading::nth(n)).unwrap();
        let key = ((n % SERIES) as u32, START_MS + n, n);
        table.insert(key, str::from_utf8(&json).unwrap()).unwrap();
    }
}
