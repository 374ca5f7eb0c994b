//! Whatever lies where the file should be, and in its log: it is refused untouched, or opened and asked, without a panic.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use aimdb_persistence::backend::{ReadRequest, Rows, SweepRequest};
use aimdb_persistence::conformance::block_on;
use aimdb_persistence::{
    Pattern, PersistenceBackend, PersistenceError, QueryParams, Retention, StorageErrorKind,
};
use aimdb_persistence_sqlite::{Durability, SqliteBackend};
use arbitrary::Arbitrary;

/// Two files: the database and its log.
#[derive(Debug, Arbitrary)]
struct Input {
    /// Otherwise one that this crate has written.
    database: Option<Vec<u8>>,
    log: Log,
    changes: Vec<Change>,
    log_changes: Vec<Change>,
}

#[derive(Debug, Arbitrary)]
enum Log {
    None,
    Own,
    Any(Vec<u8>),
}

#[derive(Debug, Arbitrary)]
enum Change {
    /// In thousandths of the file, and what is written there.
    Overwrite { at: u16, offset: u8, bytes: Vec<u8> },
    /// To so many thousandths.
    Cut { at: u16 },
}

/// Opens, asks, writes, sweeps, and opens again.
pub fn holds(bytes: &[u8]) {
    let Some(input) = crate::input::<Input>(bytes) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    let (own_database, own_log) = own_files();
    let mut database = input
        .database
        .clone()
        .unwrap_or_else(|| own_database.clone());
    change(&mut database, &input.changes);
    fs::write(&path, &database).expect("a file");
    let log = match &input.log {
        Log::None => None,
        Log::Own => Some(own_log.clone()),
        Log::Any(bytes) => Some(bytes.clone()),
    };
    if let Some(mut log) = log {
        change(&mut log, &input.log_changes);
        fs::write(folder.path().join("history.db-wal"), log).expect("a file");
    }
    if let Ok(reader) = SqliteBackend::builder(&path).read_only().open() {
        block_on(ask(&reader));
    }
    use_it(&path);
    use_it(&path);
}

fn change(file: &mut Vec<u8>, changes: &[Change]) {
    for change in changes {
        let place = |at: u16| file.len() * usize::from(at % 1_000) / 1_000;
        match change {
            Change::Overwrite { at, offset, bytes } => {
                let start = (place(*at) + usize::from(*offset)).min(file.len());
                let end = (start + bytes.len()).min(file.len());
                file[start..end].copy_from_slice(&bytes[..end - start]);
            }
            Change::Cut { at } => file.truncate(place(*at)),
        }
    }
}

fn use_it(path: &Path) {
    let options = SqliteBackend::builder(path)
        .durability(Durability::Relaxed)
        .tail_rows(4);
    let backend = match options.open() {
        Ok(backend) => backend,
        Err(error) => return check(&error),
    };
    block_on(async {
        ask(&backend).await;
        let mut rows = Rows::new();
        (0..10).for_each(|n| rows.push(["t.a", "t.b", "t.new"][n as usize % 3], n, "\"a value\""));
        let stored = backend.store_batch(rows.into()).await;
        stored
            .refused
            .iter()
            .map(|(_, error)| error)
            .chain(&stored.stopped_by)
            .for_each(check);
        let request = SweepRequest {
            now_ms: 1_000_000,
            default_retention: Retention::Milliseconds(999_990),
            longest_retention: Retention::Forever,
            max_ahead_ms: 3_600_000,
            clock_is_trusted: true,
        };
        backend
            .sweep(request)
            .await
            .map(drop)
            .unwrap_or_else(|error| check(&error));
        backend
            .cleanup(3)
            .await
            .map(drop)
            .unwrap_or_else(|error| check(&error));
        backend.flush().await.unwrap_or_else(|error| check(&error));
        ask(&backend).await;
        backend.close().await.unwrap_or_else(|error| check(&error));
    });
}

async fn ask(backend: &SqliteBackend) {
    let all = backend.query("#", QueryParams::default()).await;
    all.map(drop).unwrap_or_else(|error| check(&error));
    let request =
        ReadRequest::new(Pattern::parse("t.*").expect("a pattern")).with_page(3, usize::MAX);
    let mut next = Some(request);
    while let Some(request) = next.take() {
        match backend.read(request.clone()).await {
            Ok(page) => {
                next = page.next.map(|after| {
                    assert!(!page.rows.is_empty(), "reading goes on for ever");
                    let mut request = request;
                    request.after = Some(after);
                    request
                });
            }
            Err(error) => check(&error),
        }
    }
}

/// An error names the file; a thread that has panicked would answer that the backend has shut down.
fn check(error: &PersistenceError) {
    assert!(
        matches!(error, PersistenceError::Storage(_)),
        "not an answer about a file: {error:?}"
    );
    assert!(error.to_string().contains("history.db"), "{error}");
    assert_ne!(
        error.storage_kind(),
        Some(StorageErrorKind::Busy),
        "{error}"
    );
}

/// A database of this crate's with rows in each of its tables, and its log, taken while it is open.
fn own_files() -> &'static (Vec<u8>, Vec<u8>) {
    static FILES: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        block_on(async {
            for run in 0..2_u64 {
                let backend = SqliteBackend::new(&path).expect("a new file opens");
                for n in 0..20 {
                    let at = run * 100 + n;
                    let value =
                        serde_json::json!({ "n": n, "text": "x".repeat((n % 3) as usize * 300) });
                    backend
                        .store("t.a", &value, at)
                        .await
                        .expect("it is stored");
                    backend
                        .store("t.b", &n.into(), at)
                        .await
                        .expect("it is stored");
                }
                let mut rows = Rows::new();
                (0..600).for_each(|n| rows.push("t.many", n, "1.5"));
                backend.store_batch(rows.into()).await;
                if run == 0 {
                    backend.close().await.expect("it closes");
                    continue;
                }
                let read =
                    |suffix| fs::read(format!("{}{suffix}", path.display())).expect("a file");
                return (read(""), read("-wal"));
            }
            unreachable!("the second run returns")
        })
    })
}
