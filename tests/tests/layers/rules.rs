//! Every rule is seen to fail, on small crates made up for it.

mod circles;
mod imports;
mod lists;
mod roots;

use std::collections::BTreeMap;

use crate::check::{Report, check};

const FENCE: &str = "```";

/// Checks a crate of `files` against `layers`, one a line.
fn check_crate(layers: &str, files: &[(&str, &str)]) -> Report {
    let document = format!("# House\n\n{FENCE}layers\nhouse/src\n{layers}\n{FENCE}\n");
    check_document(&document, files)
}

fn check_document(document: &str, files: &[(&str, &str)]) -> Report {
    let files = files
        .iter()
        .map(|(file, text)| (file.to_string(), text.to_string()));
    check(
        document,
        &BTreeMap::from([("house/src".to_owned(), files.collect())]),
    )
}

#[track_caller]
fn assert_findings(report: &Report, expected: &[&str]) {
    assert_eq!(report.findings.join("\n"), expected.join("\n"));
}
