//! The documentation says what the macro does.

use crate::attributes::catalog::{Place, Setting};
use crate::derive::persist;

const PAGE: &str = include_str!("../declarations.md");

/// The code blocks after a heading of the page, without their `use` lines.
fn blocks_after(heading: &str) -> Vec<String> {
    let (_, after) = PAGE.split_once(heading).expect("the page has the heading");
    let blocks = after.split("```").skip(1).step_by(2);
    blocks
        .map(|block| {
            let lines = block
                .lines()
                .skip(1)
                .filter(|line| !line.starts_with("use "));
            lines
                .map(|line| format!("{line}\n"))
                .collect::<String>()
                .trim_start()
                .to_owned()
        })
        .collect()
}

#[test]
fn the_page_shows_what_the_macro_expands_to() {
    let blocks = blocks_after("## What the macro expands to");
    let [declared, shown, ..] = &blocks[..] else {
        panic!("the page shows a type, and what becomes of it");
    };
    let input = syn::parse_str(declared).expect("the type parses");
    let expanded = syn::parse2(persist(&input)).expect("the expansion parses");
    let expanded = prettyplease::unparse(&expanded);
    assert!(
        expanded == *shown,
        "docs/declarations.md shows something else than what the macro expands to:\n{expanded}"
    );
}

#[test]
fn the_page_lists_every_attribute_and_has_a_section_for_it() {
    for setting in Setting::all_at(Place::Type).chain(Setting::all_at(Place::Field)) {
        let name = setting.name();
        let is_heading =
            |line: &str| line.starts_with("## ") && line.contains(&format!("`{name}`"));
        assert!(PAGE.lines().any(is_heading), "no section on `{name}`");
        let is_row = |line: &str| {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            line.starts_with("| [`") && words.any(|word| word == name)
        };
        assert!(PAGE.lines().any(is_row), "no row for `{name}`");
    }
}
