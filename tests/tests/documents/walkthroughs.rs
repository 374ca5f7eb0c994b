//! The walkthroughs of the architecture name functions where they are.

use crate::read;

/// A function that a walkthrough names, and the file it was said to be in.
#[derive(Debug, PartialEq)]
struct Step<'a> {
    file: &'a str,
    function: &'a str,
}

/// In a walkthrough a link names a file. The functions behind it, `Type::name()` or `name()`, are in that file.
fn steps(section: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut file = None;
    for (index, part) in section.split('`').enumerate() {
        if index % 2 == 0 {
            if let Some((_, rest)) = part.split_once("](") {
                file = rest.split(')').next();
            }
        } else if let Some(path) = part.strip_suffix("()") {
            let function = path.rsplit("::").next().expect("a last segment");
            let file = file.unwrap_or_else(|| panic!("`{part}` stands before the first link"));
            steps.push(Step { file, function });
        }
    }
    steps
}

#[test]
fn the_walkthroughs_name_functions_that_are_in_the_files_they_name() {
    let architecture = read("ARCHITECTURE.md");
    let sections = architecture.split("\n## ");
    let walkthroughs: Vec<_> = sections
        .filter(|section| section.starts_with("Walkthrough"))
        .collect();
    assert_eq!(walkthroughs.len(), 2, "a value and a query");
    for walkthrough in walkthroughs {
        let title = walkthrough.lines().next().expect("a heading");
        let steps = steps(walkthrough);
        assert!(steps.len() >= 20, "{title}: {} functions", steps.len());
        for Step { file, function } in steps {
            let source = read(file);
            let is_there = [format!("fn {function}("), format!("fn {function}<")]
                .iter()
                .any(|definition| source.contains(definition));
            assert!(is_there, "{title}: there is no `{function}` in {file}");
        }
    }
}

#[test]
fn a_function_belongs_to_the_file_that_was_linked_last() {
    let section = "1. [`a.rs`](src/a.rs): `A::one()`, then `two()`. [`b.rs`](src/b.rs): `three()` of a `thing`.";
    let expected = [
        ("src/a.rs", "one"),
        ("src/a.rs", "two"),
        ("src/b.rs", "three"),
    ];
    assert_eq!(
        steps(section),
        expected.map(|(file, function)| Step { file, function })
    );
}
