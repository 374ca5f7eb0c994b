//! What the backend writes to the program's log.

#![cfg(all(unix, not(feature = "tracing")))]
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::process::Command;

use aimdb_persistence_sqlite::{OnCorruption, SqliteBackend};

/// A folder for the program that is watched.
const FOLDER: &str = "A_FOLDER_OF_TWO_LINES";

/// As part of another process, or for nothing.
#[test]
fn a_damaged_file_is_set_aside_where_somebodys_file_is_in_the_way() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let path = std::path::Path::new(&folder).join("history.db");
    fs::write(&path, [0xA5; 8_192]).unwrap();
    fs::write(path.with_file_name("history.db-quarantine"), "a letter").unwrap();
    let opener = SqliteBackend::builder(&path).on_corruption(OnCorruption::Quarantine);
    opener.open().unwrap();
}

#[test]
fn a_path_of_two_lines_makes_no_line_of_its_own_in_the_log() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("one\nTWO");
    fs::create_dir(&folder).unwrap();
    let program = std::env::current_exe().unwrap();
    let ran = Command::new(program)
        .args([
            "--exact",
            "a_damaged_file_is_set_aside_where_somebodys_file_is_in_the_way",
        ])
        .arg("--nocapture")
        .env(FOLDER, &folder)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let log = String::from_utf8(ran.stderr).unwrap();
    assert!(log.contains(r"one\nTWO"), "{log}");
    let own_line = log.lines().find(|line| line.starts_with("TWO"));
    assert_eq!(own_line, None, "{log}");
}
