//! The documents keep to what is there: the tests that promises name, the functions, files and fields.

mod answers;
mod code_blocks;
mod links;
mod walkthroughs;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// The documents for users, and those beside the README, by their paths in the repository.
fn documents() -> Vec<String> {
    let mut documents = Vec::new();
    for folder in [".", "docs"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            let name = name.to_str().expect("a name in UTF-8");
            if name.ends_with(".md") {
                documents.push(match folder {
                    "." => name.to_owned(),
                    _ => format!("{folder}/{name}"),
                });
            }
        }
    }
    documents.sort();
    assert!(documents.len() > 10, "{documents:?}");
    documents
}

/// Every test of the project, by its last name.
fn tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for folder in [
        "aimdb-persistence",
        "aimdb-persistence-backend",
        "aimdb-persistence-sqlite",
        "examples",
        "fuzz/properties",
        "tests",
    ] {
        for part in ["src", "tests"] {
            collect_tests(&root().join(folder).join(part), &mut tests);
        }
    }
    tests
}

fn collect_tests(folder: &Path, tests: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_tests(&path, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source file");
            let mut after_attribute = false;
            for line in source.lines().map(str::trim) {
                if line == "#[test]" || line.starts_with("#[tokio::test") {
                    after_attribute = true;
                } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| after_attribute) {
                    let name = rest.split(['(', '<']).next().expect("a name");
                    tests.insert(name.to_owned());
                    after_attribute = false;
                }
            }
        }
    }
}

/// Names of tests are sentences: longer than any other name.
fn named_tests(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).expect("the document");
    let names = text.split('`').skip(1).step_by(2);
    let is_sentence = |name: &&str| {
        name.matches('_').count() >= 3
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    names.filter(is_sentence).map(str::to_owned).collect()
}

#[test]
fn every_test_that_a_promise_names_exists() {
    let tests = tests();
    assert!(tests.len() > 200, "{} tests were found", tests.len());
    for document in ["docs/reliability.md", "SECURITY.md"] {
        let named = named_tests(document);
        assert!(named.len() >= 10, "{document} names {} tests", named.len());
        for name in named {
            assert!(
                tests.contains(&name),
                "{document} names `{name}`, which is no test"
            );
        }
    }
}
