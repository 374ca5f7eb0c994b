//! Programs that end: what they have produced is in the file afterwards, or they say how many values are not.

use std::path::Path;
use std::process::{Command, Output};

use aimdb_persistence::Archive;
use aimdb_persistence::Ask;
use aimdb_persistence_sqlite::SqliteBackend;
use futures_lite::future::block_on;
use std::sync::Arc;
use tempfile::TempDir;

/// What the program produces before its end.
const PRODUCED: u64 = 1_000;

/// The program on each version of AimDB.
const PROGRAMS: &[&str] = &[
    env!("CARGO_BIN_EXE_ending_child_1"),
    #[cfg(feature = "aimdb-2")]
    env!("CARGO_BIN_EXE_ending_child_2"),
];

/// Every ending is tried on every version and kind of runtime.
fn each(ending: &str, check: impl Fn(&str, &Output, u64)) {
    for program in PROGRAMS {
        for runtime in ["multi_thread", "current_thread"] {
            let folder = TempDir::new().expect("a temporary folder");
            let path = folder.path().join("history.db");
            let output = Command::new(program)
                .args([runtime, ending])
                .arg(&path)
                .output()
                .expect("the program runs");
            let what = format!("{program}, {runtime}, {ending}: {output:?}");
            check(&what, &output, rows(&path));
        }
    }
}

fn rows(path: &Path) -> u64 {
    if !path.exists() {
        return 0;
    }
    let backend = SqliteBackend::builder(path).read_only().open();
    block_on(async {
        let archive = Archive::open(Arc::new(backend.expect("it is a history"))).await?;
        archive.history("#").count().await
    })
    .expect("the rows can be counted")
}

/// The sum of what the program says is missing.
fn told_missing(output: &Output) -> u64 {
    let told = String::from_utf8_lossy(&output.stderr);
    let number = |line: &str| {
        let (before, _) = line.split_once(" value(s) were not stored")?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    };
    told.lines().filter_map(number).sum()
}

fn stores_everything(ending: &str) {
    each(ending, |what, output, rows| {
        assert_eq!(rows, PRODUCED, "{what}");
        assert_eq!(told_missing(output), 0, "{what}");
    });
}

#[test]
fn a_program_that_closes_its_history_has_stored_everything() {
    stores_everything("close");
}

#[test]
fn a_program_that_drops_its_database_and_ends_has_stored_everything() {
    stores_everything("drop");
}

#[test]
fn a_program_that_returns_from_main_has_stored_everything() {
    stores_everything("return");
}

#[test]
fn a_program_that_panics_has_stored_everything() {
    stores_everything("panic");
}

#[test]
fn a_database_that_outlives_its_runtime_has_stored_what_came_before_and_tells_what_came_after() {
    each("drop_runtime", |what, output, rows| {
        assert!(output.status.success(), "{what}");
        assert_eq!(rows, PRODUCED, "{what}");
        assert_eq!(told_missing(output), 7, "{what}");
    });
}

#[test]
fn a_program_whose_backend_hangs_ends_and_says_how_many_values_are_not_stored() {
    each("hang", |what, output, rows| {
        assert!(output.status.success(), "{what}");
        assert_eq!(rows, 0, "{what}");
        assert_eq!(told_missing(output), PRODUCED, "{what}");
    });
}
