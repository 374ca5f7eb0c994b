//! The root of a crate, and what it declares.

use super::{assert_findings, check_crate};

#[test]
fn a_root_declares_re_exports_and_nothing_else() {
    let allowed = "//! The house.\n#![forbid(unsafe_code)]\nextern crate alloc;\nmod low;\npub use low::Low;\n\
                   pub mod prelude { pub use crate::low::Low; }\n#[cfg(test)]\nmod tests { fn f() {} }";
    assert_findings(
        &check_crate("low", &[("lib.rs", allowed), ("low.rs", "")]),
        &[],
    );
    for (item, named) in [
        ("fn f() {}", "`f`"),
        ("const N: u8 = 1;", "`N`"),
        ("static S: u8 = 1;", "`S`"),
        ("struct T;", "`T`"),
        ("enum E {}", "`E`"),
        ("trait Q {}", "`Q`"),
        ("type A = u8;", "`A`"),
        ("macro_rules! m { () => {}; }", "`m`"),
        ("impl Copy for T {}", "the `impl` of `T`"),
        ("m!();", "what begins here"),
        ("pub mod inner { fn f() {} }", "`f`"),
        ("#[proc_macro_lookalike]\nfn f() {}", "`f`"),
    ] {
        let root = format!("mod low;\n{item}");
        let line = root.lines().count();
        let report = check_crate("low", &[("lib.rs", &root), ("low.rs", "")]);
        let expected = format!(
            "house/src/lib.rs:{line}: {named} belongs into a file of a layer; lib.rs declares modules and re-exports"
        );
        assert_findings(&report, &[&expected]);
    }
}

#[test]
fn a_crate_of_macros_defines_them_in_its_root() {
    let root = "mod low;\n#[proc_macro_derive(Low, attributes(low))]\npub fn derive(input: T) -> T { low::derive(input) }";
    assert_findings(
        &check_crate("low", &[("lib.rs", root), ("low.rs", "")]),
        &[],
    );
}

#[test]
fn an_import_from_the_root_runs_upwards() {
    for import in ["use crate::Low;", "use super::*;", "fn f() { crate::f() }"] {
        let report = check_crate("low", &[("lib.rs", "mod low;"), ("low.rs", import)]);
        assert_eq!(report.findings.len(), 1, "{import}: {:?}", report.findings);
        assert!(
            report.findings[0].ends_with(" from house/src/lib.rs, which stands above every layer")
        );
        assert_eq!(report.crates[0].circles, [0; 0]);
    }
}

#[test]
fn a_program_has_roots_of_its_own() {
    let program = "mod args;\nfn main() { args::read() }";
    let files = [
        ("main.rs", program),
        ("args.rs", ""),
        ("bin/other.rs", "fn main() {}"),
    ];
    assert_findings(&check_crate("args", &files), &[]);
    let report = check_crate("args", &[("args.rs", "")]);
    assert!(
        report
            .findings
            .contains(&"house/src has neither lib.rs nor main.rs".to_owned())
    );
}

#[test]
fn a_file_that_no_module_declares_is_reported() {
    let files = [("lib.rs", "mod low;"), ("low.rs", ""), ("lost.rs", "")];
    assert_findings(
        &check_crate("low lost", &files),
        &["house/src/lost.rs is not compiled: no `mod` declares it"],
    );
}

#[test]
fn what_cannot_be_followed_is_reported() {
    let moved = "#[path = \"elsewhere.rs\"]\nmod inner;";
    let findings = |low| {
        check_crate("low", &[("lib.rs", "mod low;"), ("low.rs", low)])
            .findings
            .join("\n")
    };
    for code in ["\nfn f( {}", "\nfn f() -> {}", "\n}"] {
        let findings = findings(code);
        assert!(findings.starts_with("house/src/low.rs:2: "), "{findings}");
    }
    assert_eq!(
        findings("\nmod inner;"),
        "house/src/low.rs:2: `mod inner;` has no file; expected house/src/low/inner.rs"
    );
    assert!(findings(moved).starts_with(
        "house/src/low.rs:1: a file must lie where its module's name says, without `#[path]`"
    ));
}
