//! fjall, as its README shows it: a keyspace, keys in big-endian form, the journal persisted after each batch.

use std::ops::Range;
use std::path::Path;
use std::thread;

use aimdb_persistence_workload::{Peer, ROWS_PER_COMMIT, Reading, SERIES, START_MS};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

pub struct Fjall {
    database: Database,
    rows: Keyspace,
}

impl Peer for Fjall {
    const NAME: &'static str = "fjall";
    const NOTE: &'static str = "each batch persisted with PersistMode::SyncData; no AimDB, no series names; LZ4-compressed blocks";

    fn create(folder: &Path) -> Self {
        let database = Database::builder(folder).open().unwrap();
        let rows = database
            .keyspace("rows", KeyspaceCreateOptions::default)
            .unwrap();
        Self { database, rows }
    }

    fn ingest(&mut self, rows: Range<u64>) {
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + ROWS_PER_COMMIT);
            self.commit(start..end);
            start = end;
        }
    }

    /// A batch for each row would lock the journal twice: one insert and one persist is what the README shows.
    fn store_from_tasks(&mut self, tasks: Vec<Range<u64>>) {
        thread::scope(|scope| {
            for rows in tasks {
                let peer = &*self;
                scope.spawn(move || {
                    for n in rows {
                        let json = serde_json::to_vec(&Reading::nth(n)).unwrap();
                        peer.rows.insert(key(n), json).unwrap();
                        peer.database.persist(PersistMode::SyncData).unwrap();
                    }
                });
            }
        });
    }

    fn latest(&self, series: u64) -> Option<Reading> {
        let newest = self
            .rows
            .prefix((series as u32).to_be_bytes())
            .next_back()?;
        Some(serde_json::from_slice(&newest.value().unwrap()).unwrap())
    }

    fn latest_of_all(&self) -> Vec<Reading> {
        (0..SERIES)
            .filter_map(|series| self.latest(series))
            .collect()
    }

    fn scan(&self) -> Vec<Reading> {
        let rows = self.rows.iter();
        rows.map(|row| serde_json::from_slice(&row.value().unwrap()).unwrap())
            .collect()
    }

    /// Moves what is in memory into tables: its journal is preallocated, and no measure of what rows take.
    fn close(self) {
        self.rows.rotate_memtable_and_wait().unwrap();
        drop(self.rows);
        drop(self.database);
    }
}

impl Fjall {
    fn commit(&self, rows: Range<u64>) {
        let mut batch = self
            .database
            .batch()
            .durability(Some(PersistMode::SyncData));
        for n in rows {
            let json = serde_json::to_vec(&Reading::nth(n)).unwrap();
            batch.insert(&self.rows, key(n), json);
        }
        batch.commit().unwrap();
    }
}

fn key(n: u64) -> [u8; 20] {
    let mut key = [0; 20];
    key[..4].copy_from_slice(&((n % SERIES) as u32).to_be_bytes());
    key[4..12].copy_from_slice(&(START_MS + n).to_be_bytes());
    key[12..].copy_from_slice(&n.to_be_bytes());
    key
}
