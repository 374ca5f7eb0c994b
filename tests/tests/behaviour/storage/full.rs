//! A disk that is full: a small file system that the test fills.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use aimdb_persistence::backend::{Rows, SweepRequest};
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceBackend, PersistenceEvent,
    PersistenceOptions, Retention, StorageErrorKind,
};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_persistence_tests::events::Events;
use aimdb_persistence_tests::records::{FOREVER, Temperature};
use aimdb_persistence_tests::waiting::eventually;

use crate::aimdb;

const DISK_BYTES: usize = 16 << 20;

/// A file system in memory, unmounted with the test.
struct SmallDisk {
    mounted_at: tempfile::TempDir,
}

impl SmallDisk {
    /// `None` where this process may not mount one: the test says so and ends.
    fn mount() -> Option<Self> {
        let mounted_at = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={DISK_BYTES}"), "tmpfs"])
            .arg(mounted_at.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { mounted_at }),
            _ => {
                eprintln!("skipped: no file system may be mounted here");
                None
            }
        }
    }

    fn history(&self) -> PathBuf {
        self.mounted_at.path().join("history.db")
    }

    /// Takes all the room that is left; no more than the disk has, should it be another one after all.
    fn fill(&self) {
        let filler = self.mounted_at.path().join("filler");
        let mut left = 2 * DISK_BYTES;
        // The last write fails, which is what fills the disk.
        for bytes in [1 << 20, 4_096] {
            let chunk = vec![0xAA; bytes];
            let mut file = fs::OpenOptions::new();
            let mut file = file.create(true).append(true).open(&filler).unwrap();
            while std::io::Write::write_all(&mut file, &chunk).is_ok() {
                left = left.checked_sub(bytes).expect("the disk is a small one");
            }
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.mounted_at.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open there keeps it.
        let unmounted = Command::new("umount")
            .arg("-l")
            .arg(self.mounted_at.path())
            .status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

async fn database(backend: &Arc<SqliteBackend>, events: &Events) -> aimdb::Db {
    let options = PersistenceOptions::new(backend.clone(), FOREVER).on_event(events.listener());
    let mut builder = aimdb::builder().with_persistence_options(options);
    Temperature::series("sf").register(&mut builder);
    aimdb::build(builder).await
}

async fn produce(db: &aimdb::Db, times: std::ops::Range<u64>) {
    for at in times {
        aimdb::produce(db, "temperature.sf", Temperature::at(at)).await;
    }
}

async fn store(
    backend: &SqliteBackend,
    times: std::ops::Range<u64>,
) -> Result<(), StorageErrorKind> {
    let mut rows = Rows::new();
    for at in times {
        rows.push(
            "temperature.sf",
            at,
            &format!("{{\"celsius\":1.5,\"at\":{at}}}"),
        );
    }
    match backend.store_batch(Arc::new(rows)).await.stopped_by {
        None => Ok(()),
        Some(error) => Err(error.storage_kind().expect("a typed failure")),
    }
}

/// Stores until the disk has no room for it; says how many rows there are.
async fn store_until_full(backend: &SqliteBackend) -> u64 {
    for n in 0.. {
        match store(backend, n * 100..(n + 1) * 100).await {
            Ok(()) => {}
            Err(kind) => {
                assert_eq!(kind, StorageErrorKind::DiskFull);
                return n * 100;
            }
        }
    }
    unreachable!()
}

fn is_sound(path: &Path) -> bool {
    let file = rusqlite::Connection::open(path).unwrap();
    let check = file.query_row("PRAGMA integrity_check", [], |r| r.get::<_, String>(0));
    check.unwrap() == "ok"
}

#[tokio::test]
async fn on_a_full_disk_values_wait_and_are_all_stored_once_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let events = Events::new();
    let backend = Arc::new(SqliteBackend::new(disk.history()).unwrap());
    let db = database(&backend, &events).await;
    produce(&db, 0..1_000).await;
    db.flush_persistence().await.unwrap();
    disk.fill();

    let is_failing =
        |event: &PersistenceEvent| matches!(event, PersistenceEvent::BackendFailing { .. });
    let mut produced = 1_000;
    while events.count(is_failing) == 0 {
        produce(&db, produced..produced + 1_000).await;
        produced += 1_000;
        tokio::task::yield_now().await;
    }
    let told = events.all();
    let error = told.iter().find(|event| is_failing(event)).unwrap();
    assert!(error.to_string().contains("free some space"), "{error}");
    let total = db.persistence_stats().unwrap().total;
    assert_eq!(total.produced, produced);
    assert_eq!(total.stored + total.pending, produced, "{total:?}");
    // What is stored is there, though the disk is full.
    let stored = Temperature::query_range(&db, 0, u64::MAX, None)
        .await
        .unwrap();
    assert!(stored.len() as u64 >= total.stored);

    disk.make_room();
    db.flush_persistence().await.unwrap();
    let total = db.persistence_stats().unwrap().total;
    assert_eq!((total.stored, total.pending), (produced, 0), "{total:?}");
    let stored = Temperature::query_range(&db, 0, u64::MAX, None)
        .await
        .unwrap();
    assert_eq!(stored.len() as u64, produced);
    eventually("it has told that it goes on", || {
        events.count(|event| *event == PersistenceEvent::BackendRecovered) == 1
    })
    .await;
    backend.close().await.unwrap();
    assert!(is_sound(&disk.history()));
}

#[tokio::test]
async fn a_sweep_makes_room_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let backend = SqliteBackend::new(disk.history()).unwrap();
    store(&backend, 0..20_000).await.unwrap();
    disk.fill();
    let rows = store_until_full(&backend).await;
    let request = SweepRequest {
        now_ms: 20_000,
        default_retention: Retention::Milliseconds(1_000),
        longest_retention: Retention::Milliseconds(1_000),
        max_ahead_ms: 3_600_000,
        clock_is_trusted: true,
    };
    let report = backend.sweep(request).await.unwrap();
    assert_eq!(report.removed, 19_000);
    store(&backend, rows..rows + 100).await.unwrap();
    backend.close().await.unwrap();
    assert!(is_sound(&disk.history()));
}
