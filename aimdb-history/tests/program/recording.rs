//! While a database records into the same file.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aimdb_persistence::prelude::*;
use aimdb_persistence_sqlite::SqliteBackend;
use tokio::runtime::Runtime;

use crate::support::{Door, Outcome, database, files, run, tool, weather_to_change};

/// Records doors until it is told to stop, and then answers how many were produced and stored.
pub(crate) fn record(
    path: &std::path::Path,
    while_recording: impl FnOnce(),
) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new()?;
    let ended = Arc::new(AtomicBool::new(false));
    let (backend, db) = runtime.block_on(async {
        let backend = SqliteBackend::new(path)?;
        let db = Arc::new(database(backend.clone()).await?);
        Ok::<_, Box<dyn std::error::Error>>((backend, db))
    })?;
    let recording = runtime.spawn({
        let (ended, db) = (Arc::clone(&ended), Arc::clone(&db));
        async move {
            let mut at = 1_700_000_000_000;
            while !ended.load(Ordering::Acquire) {
                let state = "open".to_owned();
                let door = Door {
                    state,
                    locked: false,
                    at,
                };
                db.produce("door.back", door).await.expect("it is produced");
                at += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    while_recording();
    ended.store(true, Ordering::Release);
    runtime.block_on(async {
        recording.await?;
        let closed = db.close_persistence(Duration::from_secs(60)).await?;
        let total = closed.stats.total;
        assert_eq!((total.lost(), total.produced), (0, total.stored));
        assert!(total.stored > 0);
        Ok(backend.close().await?)
    })
}

#[test]
fn every_reading_command_works_while_a_database_records_and_disturbs_nothing() -> Outcome {
    let (folder, path) = weather_to_change();
    let of = |name: &str| folder.path().join(name).display().to_string();
    record(&path, || {
        for arguments in [
            &["series", "--count"][..],
            &["show", "#", "--limit", "10"],
            &["stats", "temperature.*", "celsius", "--every", "month"],
            &["stats", "door.*", "state"],
            &["plot", "temperature.sf", "celsius"],
            &["export", "#", "--to", &of("rows.csv")],
            &["export", "#", "--to", &of("rows.ndjson")],
            &["import", &of("rows.ndjson"), "--dry-run"],
            &["backup", &of("backup.db")],
            &["check"],
            &["copy", &of("copy.db"), "temperature.*", "--dry-run"],
            &["sql", "SELECT count(*), sum(celsius) FROM temperature"],
        ] {
            run(&path, arguments).ok();
        }
        // Doors of 2023 are silent, which is odd.
        assert_eq!(run(&path, &["doctor"]).code, 4);
    })?;
    let left = ["backup.db", "history.db", "rows.csv", "rows.ndjson"];
    assert_eq!(files(folder.path()), left);
    Ok(())
}

#[test]
fn rows_are_shown_as_they_are_stored_until_somebody_interrupts() -> Outcome {
    let (folder, path) = weather_to_change();
    let mut shown = Vec::new();
    let mut err = String::new();
    record(&path, || {
        let follow = [
            "show",
            "door.back",
            "--follow",
            "--every",
            "10",
            "--json",
            "--limit",
            "1",
        ];
        let mut child = tool(&path, &follow)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        while shown.len() < 20 {
            let line = lines.next().expect("more rows").expect("a line");
            let row: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            shown.push(row["stored_at"].as_u64().expect("a time"));
        }
        #[cfg(unix)]
        {
            let id = child.id().to_string();
            let killed = std::process::Command::new("kill")
                .args(["-INT", &id])
                .status();
            assert!(killed.expect("kill").success());
            // A pipe that closes first would end it, too.
            let rest = lines.collect::<Result<Vec<_>, _>>();
            assert!(rest.is_ok());
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(130));
            err = String::from_utf8_lossy(&output.stderr).into_owned();
        }
        #[cfg(not(unix))]
        child.kill().expect("it ends");
    })?;
    // Each row once, and none left out.
    let first = shown[0];
    let expected: Vec<u64> = (first..).take(shown.len()).collect();
    assert_eq!(shown, expected, "{err}");
    assert_eq!(files(folder.path()), ["history.db"]);
    Ok(())
}
