//! A program without a file descriptor to spare, in a process of its own.
#![allow(clippy::disallowed_methods)]
#![cfg(unix)]

use std::fs::{self, File};
use std::process::Command;

use aimdb_persistence::backend::Rows;
use aimdb_persistence::{PersistenceBackend, StorageErrorKind};
use aimdb_persistence_sqlite::SqliteBackend;
use std::sync::Arc;

const FEW_DESCRIPTORS: &str = "FEW_DESCRIPTORS";

fn row(at: u64) -> Arc<Rows> {
    let mut rows = Rows::new();
    rows.push("t", at, "1");
    Arc::new(rows)
}

/// Rows that are refused for a reason that passes are tried again; the recorder does so for `Io`, and fails the rows for
/// `CannotOpen`.
#[test]
fn without_a_descriptor_to_reopen_the_file_rows_are_to_wait() {
    if std::env::var_os(FEW_DESCRIPTORS).is_some() {
        return with_few_descriptors();
    }
    let this = std::env::current_exe().unwrap();
    let name = "without_a_descriptor_to_reopen_the_file_rows_are_to_wait";
    let limited = "ulimit -n 64; exec \"$0\" \"$@\"";
    let status = Command::new("sh")
        .args(["-c", limited])
        .arg(this)
        .args(["--exact", name, "--nocapture"])
        .env(FEW_DESCRIPTORS, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

fn with_few_descriptors() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    runtime.block_on(async {
        let backend = SqliteBackend::builder(&path)
            .reserve_bytes(0)
            .open()
            .unwrap();
        assert_eq!(backend.store_batch(row(1)).await.settled, 1);
        fs::rename(&path, folder.path().join("moved.db")).unwrap();
        // What the old file holds is let go of when the loss is noticed: all that becomes free is taken as well.
        let mut taken = Vec::new();
        for _ in 0..3 {
            while let Ok(file) = File::open("/dev/null") {
                taken.push(file);
            }
            let outcome = backend.store_batch(row(2)).await;
            let error = outcome.stopped_by.unwrap();
            assert_eq!(error.storage_kind(), Some(StorageErrorKind::Io), "{error}");
        }
        drop(taken);
        assert_eq!(backend.store_batch(row(2)).await.settled, 1);
        assert!(backend.flush().await.is_err(), "the file was moved");
        backend.flush().await.unwrap();
        backend.close().await.unwrap();
    });
}
