//! What `#[derive(Persist)]` accepts, and what it says about what it does not.
//!
//! `ui/macro` holds messages that the macro makes; they are the same with every compiler. `ui/rustc` holds messages
//! that the compiler words, pinned to one version of it. `TRYBUILD=overwrite cargo test --test ui` records both.

use std::process::Command;

/// The compiler whose wording `ui/rustc` records.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
fn accepted_types_behave_as_declared() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

#[test]
fn a_mistake_in_an_attribute_says_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/macro/*.rs");
}

#[test]
fn a_mistake_in_a_type_or_a_call_is_underlined_where_it_is() {
    let compiler = compiler_version();
    if compiler.starts_with(RECORDED_WITH) || std::env::var_os("UI_RUSTC").is_some() {
        trybuild::TestCases::new().compile_fail("tests/ui/rustc/*.rs");
    } else {
        println!(
            "skipped: the messages are recorded with {RECORDED_WITH}x, this is {compiler}; UI_RUSTC=1 compares them"
        );
    }
}

/// The compiler that Cargo runs.
fn compiler_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("`rustc --version` runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
