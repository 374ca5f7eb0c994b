//! The order of the files in every crate: no import runs upwards, and none runs in a circle.
//!
//! `ARCHITECTURE.md` lists the layers of each crate in a code block of its own, from top to bottom:
//!
//! ````text
//! ```layers
//! aimdb-persistence/src
//! typed/                what the derive gives a type
//! query/                questions
//! query/answers/        what is made of the rows
//! error time pattern    what everything else stands on
//! ```
//! ````
//!
//! - The first line names the crate's sources. Every other line is a layer: its entries, two spaces, what it holds.
//! - `error` is the file `error.rs` or `error/mod.rs`. `query/` is everything in that folder, and `query.rs`.
//! - The narrowest entry counts: the layer of `query/answers/rows.rs` is that of `query/answers/` above. So a layer may
//!   take a folder or a file out of the folder of another.
//! - A file imports from its own layer and from the layers below. Files of one layer import each other, but in no circle.
//! - `lib.rs`, `main.rs` and `bin/` stand above every layer and are not listed. Nothing imports from them, and `lib.rs`
//!   only declares modules and re-exports.
//! - An import is any path that leads into another file: in a `use`, a type, an expression, an attribute or a macro's
//!   arguments. The file is that of the last module in the path as it is written; whence that module re-exports the
//!   item is an import of its own. `mod child;` is no import; `pub use self::child::Item` is one.
//! - Code that only tests is left out. What `quote!` holds is another crate's code, and is left out as well.
//!
//! `cargo test -p aimdb-persistence-tests --test layers -- --nocapture` prints the imports, upward imports and circles
//! of each crate.

mod check;
mod circles;
mod list;
mod modules;
mod reading;
mod repository;
mod root;
mod rules;
mod test_code;
mod tokens;

#[test]
fn every_crate_keeps_to_the_layers_that_the_architecture_lists() {
    let document = std::fs::read_to_string(repository::root().join("ARCHITECTURE.md"));
    let report = check::check(&document.expect("ARCHITECTURE.md"), &repository::crates());
    for counts in &report.crates {
        println!("{counts}");
    }
    let findings = &report.findings;
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}
