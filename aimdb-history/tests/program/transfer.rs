//! `copy`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aimdb_history::transfer::{Others, plan, transfer};
use aimdb_history::{HistoryError, OpenHistory};
use aimdb_persistence_backend::{
    MemoryBackend, OnDuplicate, Pattern, PersistenceBackend, SeriesDeclaration,
};
use aimdb_persistence_sqlite::SqliteBackend;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::recording::record;
use crate::support::{Outcome, files, run, tool, weather, weather_to_change};

/// What a file holds, by SQL alone: none of the code that copies has a part in it.
fn by_sql(path: &Path) -> BTreeMap<(String, i64, String), u64> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut rows = connection
        .prepare("SELECT record_name, stored_at, value_json FROM record_history")
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let mut counted = BTreeMap::new();
    for row in rows.unwrap() {
        *counted.entry(row.unwrap()).or_default() += 1;
    }
    counted
}

fn copy(from: &Path, to: &Path, more: &[&str]) -> crate::support::Ran {
    let mut arguments = vec!["copy", to.to_str().unwrap()];
    arguments.extend(more);
    run(from, &arguments)
}

#[test]
fn a_copy_has_the_rows_of_the_source_and_what_is_declared_of_them() -> Outcome {
    let folder = TempDir::new()?;
    let to = folder.path().join("copy.db");
    let dry = copy(weather(), &to, &["--dry-run", "--json"]).json();
    assert_eq!(
        dry.iter()
            .map(|s| s["missing"].as_u64().unwrap())
            .sum::<u64>(),
        17_522
    );
    assert!(!to.exists(), "a dry run makes nothing");

    let moved = copy(weather(), &to, &["--json"]).json();
    assert_eq!(
        (&moved[0]["rows"], &moved[0]["verified"]),
        (&json!(17_522), &json!(17_522))
    );
    assert!(by_sql(&to) == by_sql(weather()));
    let series = |path: &Path| run(path, &["series", "--count", "--json"]).json();
    assert_eq!(series(&to), series(weather()));

    // Again, and nothing is doubled.
    let again = copy(weather(), &to, &["--json"]).json();
    assert_eq!(
        (&again[0]["rows"], &again[0]["verified"]),
        (&json!(0), &json!(17_522))
    );
    assert!(by_sql(&to) == by_sql(weather()));
    assert_eq!(files(folder.path()), ["copy.db"]);
    Ok(())
}

#[test]
fn rows_from_elsewhere_are_refused_before_anything_is_written_or_merged_by_choice() -> Outcome {
    let (_folder, to) = weather_to_change();
    run(
        &to,
        &["delete", "temperature.sf", "--from", "2010-06-01", "--yes"],
    )
    .ok();
    let csv = to.with_extension("csv");
    std::fs::write(&csv, "stored_at,celsius\n1262304000001,99\n")?;
    run(
        &to,
        &["import", csv.to_str().unwrap(), "--key", "temperature.sf"],
    )
    .ok();
    let before = by_sql(&to);

    let err = copy(weather(), &to, &[]).failed(2);
    assert!(
        err.contains("1 of `temperature.sf`") && err.contains("--merge"),
        "{err}"
    );
    assert!(by_sql(&to) == before, "nothing is written");

    copy(weather(), &to, &["--merge"]).ok();
    let mut expected = by_sql(weather());
    let foreign = (
        String::from("temperature.sf"),
        1_262_304_000_001,
        r#"{"celsius":99}"#.to_owned(),
    );
    expected.insert(foreign, 1);
    assert!(by_sql(&to) == expected);
    Ok(())
}

#[test]
fn rows_that_are_missing_anywhere_are_copied_and_only_those() -> Outcome {
    let (_folder, to) = weather_to_change();
    run(
        &to,
        &[
            "delete",
            "temperature.sf",
            "--from",
            "2010-03-01",
            "--to",
            "2010-03-02",
            "--yes",
        ],
    )
    .ok();
    run(&to, &["delete", "door.#", "--yes"]).ok();
    let moved = copy(weather(), &to, &["--json"]).json();
    assert_eq!(moved[0]["rows"], 48 + 4);
    assert!(by_sql(&to) == by_sql(weather()));
    Ok(())
}

#[test]
fn a_source_that_records_is_followed_and_disturbed_in_nothing() -> Outcome {
    let (_folder, from) = weather_to_change();
    let to = from.with_file_name("copy.db");
    record(&from, || {
        let moved = copy(&from, &to, &["--json"]).json();
        assert!(moved[0]["verified"].as_u64() > Some(17_522));
    })?;
    // Once it has ended, another run brings what came later.
    copy(&from, &to, &[]).ok();
    assert!(by_sql(&to) == by_sql(&from));
    Ok(())
}

#[test]
fn a_copy_onto_itself_or_onto_what_is_no_history_is_refused() -> Outcome {
    let (folder, from) = weather_to_change();
    let err = copy(&from, &folder.path().join("./history.db"), &[]).failed(2);
    assert!(err.contains("the same history"), "{err}");
    let text = folder.path().join("text.db");
    std::fs::write(&text, "no database\n".repeat(500))?;
    copy(&from, &text, &[]).failed(1);
    assert_eq!(std::fs::read_to_string(&text)?, "no database\n".repeat(500));
    copy(&from, &folder.path().join("copy.db"), &["nothing.*"]).failed(3);
    Ok(())
}

/// Twenty series of ten thousand rows.
fn large(path: &Path) -> Result<std::path::PathBuf, Box<dyn std::error::Error>> {
    Runtime::new()?.block_on(async {
        let backend = SqliteBackend::new(path)?;
        for series in 0..20 {
            let mut rows = aimdb_persistence_backend::Rows::new();
            for row in 0..10_000 {
                let value = format!("{{\"n\":{row},\"of\":\"{series}\"}}");
                // Some times are those of several rows.
                rows.push(&format!("plant.{series}"), 1_000 + row / 3, &value);
            }
            assert_eq!(backend.store_batch(Arc::new(rows)).await.settled, 10_000);
        }
        backend.close().await?;
        Ok(path.to_owned())
    })
}

/// `KILLS=100` kills a hundred copies, of a larger source; CI kills fewer. Each target is completed at last.
#[test]
fn a_copy_that_is_killed_at_any_moment_goes_on_without_losing_or_doubling_a_row() -> Outcome {
    let kills: u32 = std::env::var("KILLS").map_or(Ok(6), |kills| kills.parse())?;
    let folder = TempDir::new()?;
    // Many kills are worth a source of many batches.
    let source = match kills > 10 {
        true => large(&folder.path().join("large.db"))?,
        false => weather().to_owned(),
    };
    let source = &*source;
    let expected = by_sql(source);
    let begun = std::time::Instant::now();
    copy(source, &folder.path().join("measured.db"), &[]).ok();
    let whole = begun.elapsed();
    let (mut killed, mut copies) = (0, 0);
    while killed < kills {
        let to = folder.path().join(format!("copy-{copies}.db"));
        copies += 1;
        // Most are killed more than once before they are complete.
        for _ in 0..4 {
            let mut child = tool(source, &["copy", to.to_str().unwrap(), "--quiet"])
                .stdout(std::process::Stdio::null())
                .spawn()?;
            std::thread::sleep(whole.mul_f64(fastrand::f64()));
            if child.try_wait()?.is_none() {
                killed += 1;
            }
            child.kill()?;
            child.wait()?;
        }
        copy(source, &to, &[]).ok();
        assert!(by_sql(&to) == expected, "copy {copies}, {killed} killed");
        std::fs::remove_file(to)?;
    }
    println!("{killed} killed, {copies} copies completed and equal");
    Ok(())
}

fn memory() -> Arc<MemoryBackend> {
    Arc::new(MemoryBackend::new())
}

#[test]
fn any_backend_is_copied_into_any_other() -> Outcome {
    Runtime::new()?.block_on(async {
        let folder = TempDir::new()?;
        let backend = memory();
        let declared = SeriesDeclaration::new("a.b")
            .with_template("a.{x}")
            .with_on_duplicate(OnDuplicate::Replace)
            .with_keep_last(3);
        for value in 0..3 {
            backend.store("a.b", &json!(value), 7).await?;
        }
        // Declared after there were rows of one time: none of them may get lost on the way.
        backend.declare(std::slice::from_ref(&declared)).await?;
        let source = OpenHistory::of(backend).await?;

        let file = SqliteBackend::new(folder.path().join("copy.db"))?;
        let sqlite = OpenHistory::of(Arc::new(file.clone())).await?;
        let moved = transfer(&source, &sqlite, "#", Others::Refuse, |_| {}).await?;
        assert_eq!((moved.rows, moved.verified), (3, 3));
        assert!(moved.lost.is_empty());
        let kept = file.declarations(&Pattern::parse("#")?).await?;
        assert_eq!(kept, [declared]);

        let back = OpenHistory::of(memory()).await?;
        assert_eq!(
            transfer(&sqlite, &back, "#", Others::Refuse, |_| {})
                .await?
                .verified,
            3
        );

        // What a simple backend cannot keep is said before.
        let simple = OpenHistory::of(Arc::new(Simple::new(false))).await?;
        let planned = plan(&source, &simple, "#", |_| {}).await?;
        assert_eq!(planned.missing(), 3);
        assert_eq!(planned.lost.len(), 3, "{:?}", planned.lost);
        file.close().await?;
        Ok(())
    })
}

/// A backend with the three required methods. It may say that it has stored rows which it has not.
struct Simple {
    rows: MemoryBackend,
    forgets: bool,
}

impl Simple {
    fn new(forgets: bool) -> Self {
        Self {
            rows: MemoryBackend::new(),
            forgets,
        }
    }
}

impl PersistenceBackend for Simple {
    fn store<'a>(
        &'a self,
        record_name: &'a str,
        value: &'a serde_json::Value,
        timestamp: u64,
    ) -> aimdb_persistence_backend::BoxFuture<
        'a,
        Result<(), aimdb_persistence_backend::PersistenceError>,
    > {
        Box::pin(async move {
            match timestamp % 10 {
                3 if self.forgets => Ok(()),
                _ => self.rows.store(record_name, value, timestamp).await,
            }
        })
    }

    fn query<'a>(
        &'a self,
        record_pattern: &'a str,
        params: aimdb_persistence_backend::QueryParams,
    ) -> aimdb_persistence_backend::BoxFuture<
        'a,
        Result<
            Vec<aimdb_persistence_backend::StoredValue>,
            aimdb_persistence_backend::PersistenceError,
        >,
    > {
        self.rows.query(record_pattern, params)
    }

    fn cleanup(
        &self,
        older_than: u64,
    ) -> aimdb_persistence_backend::BoxFuture<
        '_,
        Result<u64, aimdb_persistence_backend::PersistenceError>,
    > {
        self.rows.cleanup(older_than)
    }
}

#[test]
fn a_target_that_loses_rows_in_silence_is_found_out() -> Outcome {
    Runtime::new()?.block_on(async {
        let backend = memory();
        for at in 0..50 {
            backend.store("a.b", &json!(at), at).await?;
        }
        let source = OpenHistory::of(backend).await?;
        let target = OpenHistory::of(Arc::new(Simple::new(true))).await?;
        let moved = transfer(&source, &target, "#", Others::Refuse, |_| {}).await;
        let Err(HistoryError::Unwell(reason)) = moved else {
            panic!("{moved:?}");
        };
        assert!(
            reason.contains("50 rows in the source, and 45 in the target"),
            "{reason}"
        );
        Ok(())
    })
}
