//! What the tests share: a file of their own, and short ways to fill and ask it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aimdb_persistence::backend::{Cursor, ReadRequest, Row, Rows};
use aimdb_persistence::{
    Pattern, PersistenceBackend, PersistenceError, QueryParams, StorageErrorKind, StoredValue,
};
use aimdb_persistence_sqlite::SqliteBackend;
use serde_json::json;
use tempfile::TempDir;

/// A folder that goes with the test, and a path in it.
pub(crate) struct Scratch {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn scratch() -> Scratch {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    Scratch { folder, path }
}

pub(crate) fn rows<'a>(rows: impl IntoIterator<Item = (&'a str, u64, &'a str)>) -> Arc<Rows> {
    let mut all = Rows::new();
    for (record_name, stored_at, json) in rows {
        all.push(record_name, stored_at, json);
    }
    Arc::new(all)
}

pub(crate) async fn store(backend: &SqliteBackend, key: &str, value: u64, stored_at: u64) {
    backend.store(key, &json!(value), stored_at).await.unwrap();
}

pub(crate) async fn query(backend: &SqliteBackend, pattern: &str) -> Vec<StoredValue> {
    backend
        .query(pattern, QueryParams::default())
        .await
        .unwrap()
}

/// The values that a pattern selects, all of them numbers.
pub(crate) async fn values(backend: &SqliteBackend, pattern: &str) -> Vec<u64> {
    let numbers = query(backend, pattern).await;
    numbers
        .iter()
        .map(|row| row.value.as_u64().unwrap())
        .collect()
}

pub(crate) fn everything(pattern: &str) -> ReadRequest {
    ReadRequest::new(Pattern::parse(pattern).unwrap())
}

pub(crate) type OwnedRow = (String, u64, String);

pub(crate) fn owned(row: Row<'_>) -> OwnedRow {
    (
        row.record_name.to_owned(),
        row.stored_at,
        row.json.to_owned(),
    )
}

/// Reads page after page; says how long each was.
pub(crate) async fn read_all(
    backend: &SqliteBackend,
    mut request: ReadRequest,
) -> (Vec<OwnedRow>, Vec<usize>) {
    let (mut all, mut lengths) = (Vec::new(), Vec::new());
    loop {
        let page = backend.read(request.clone()).await.unwrap();
        lengths.push(page.rows.len());
        all.extend(page.rows.iter().map(owned));
        request.after = match page.next {
            Some(cursor) => Some::<Cursor>(cursor),
            None => return (all, lengths),
        };
    }
}

pub(crate) fn kind(error: &PersistenceError) -> StorageErrorKind {
    error
        .storage_kind()
        .unwrap_or_else(|| panic!("not a storage failure: {error}"))
}

pub(crate) fn open_error(path: impl AsRef<Path>) -> PersistenceError {
    SqliteBackend::new(path).expect_err("this must not open")
}

/// A connection of somebody else's.
pub(crate) fn plain(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

/// A connection of somebody else's who knows how the state's checksum is made, from numbers alone.
pub(crate) fn plain_with_checksum(path: &Path) -> rusqlite::Connection {
    let connection = plain(path);
    let flags = rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
    let checksum = |numbers: &rusqlite::functions::Context<'_>| {
        let mut all = Vec::new();
        for index in 0..numbers.len() {
            all.push(b'i');
            all.extend_from_slice(&numbers.get::<i64>(index)?.to_le_bytes());
        }
        Ok((xxhash_rust::xxh3::xxh3_64(&all) >> 32).cast_signed())
    };
    connection
        .create_scalar_function("checksum", -1, flags, checksum)
        .unwrap();
    connection
}

/// Everything in a folder, by name.
pub(crate) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut contents: Vec<_> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    contents.sort();
    contents
}

/// A sequence of numbers that a seed decides.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // SplitMix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((n ^ (n >> 31)) % bound as u64) as usize
    }
}
