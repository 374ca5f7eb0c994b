//! What is an import, and what is none.

use super::{assert_findings, check_crate};
use crate::check::Counts;

/// What is found where `low.rs` is `code`.
fn findings_of(code: &str) -> Vec<String> {
    let high = "pub mod part;\npub fn f() {}\nmacro_rules! made_high { () => {} }\n#[macro_export]\nmacro_rules! shown { () => {} }";
    let files = [
        ("lib.rs", "mod high;\nmod low;"),
        ("high.rs", high),
        ("high/part.rs", ""),
        ("low.rs", code),
        ("low/inner.rs", ""),
    ];
    let with_inner = format!("{code}\nmod inner;");
    let files =
        files.map(|(file, text)| (file, if file == "low.rs" { &*with_inner } else { text }));
    check_crate("high/\nlow/", &files).findings
}

#[test]
fn an_import_that_runs_upwards_is_reported_with_both_layers() {
    assert_findings(
        &check_crate(
            "high\nlow base",
            &[
                ("lib.rs", "mod base; mod high; mod low;"),
                ("base.rs", ""),
                ("high.rs", "use crate::low::Low;\nuse crate::base;"),
                (
                    "low.rs",
                    "use crate::base;\n\nuse crate::{\n    base::Base,\n    high::{One, Two},\n};",
                ),
            ],
        ),
        &[
            "house/src: 2 files import each other in a circle: high.rs, low.rs
  a way round:
    house/src/high.rs:1 imports `crate::low::Low` from house/src/low.rs
    house/src/low.rs:5 imports `crate::high::One` from house/src/high.rs",
            "house/src/low.rs:5 imports `crate::high::One` from house/src/high.rs, \
             upwards from the layer `low base` to the layer `high`",
        ],
    );
}

#[test]
fn a_path_is_an_import_wherever_it_stands() {
    for code in [
        "use crate::high::f;",
        "use crate::high;",
        "use crate::high::*;",
        "use crate::high::{self};",
        "use crate::{high::f as g};",
        "use crate::high::T as _;",
        "use super::high::f;",
        "use self::super::high::f;",
        "pub(crate) use crate::high::f;",
        "fn g() { use crate::high::f; }",
        "fn g() { crate::high::f() }",
        "fn g() { super::high::f::<u8>() }",
        "fn g(value: crate::high::T) {}",
        "fn g() -> Option<Vec<crate::high::T>> {}",
        "fn g<Q: crate::high::T>() {}",
        "fn g() { <Q as crate::high::T>::f() }",
        "fn g() { match x { crate::high::Enum::One => {} } }",
        "impl crate::high::T for Low {}",
        "struct Low { field: crate::high::T }",
        "const N: usize = crate::high::N;",
        "#[derive(crate::high::Derive)]\nstruct Low;",
        "#[crate::high::attribute]\nfn g() {}",
        "mod deeper { use super::super::high::f; }",
        "mod deeper { mod still { use super::super::super::high::f; } }",
        "fn g() { assert!(crate::high::f(), \"{}\", 1) }",
        "fn g() { vec![(0..super::high::N)] }",
        "macro_rules! m { ($name:ident) => { $crate::high::f($name::x) } }",
        "macro_rules! m { () => { use crate::high::{f, g}; } }",
        "fn g() { crate::high::made_high!() }",
        "fn g() { made_high!() }",
        "fn g() { crate::shown!() }",
    ] {
        let findings = findings_of(code);
        assert_eq!(findings.len(), 1, "{code}: {findings:?}");
        assert!(findings[0].starts_with("house/src/low.rs:"), "{findings:?}");
        assert!(
            findings[0].contains(" from house/src/high.rs, upwards "),
            "{findings:?}"
        );
    }
}

#[test]
fn a_path_that_begins_with_a_module_brought_in_is_followed() {
    for code in [
        "use crate::high; fn g() { high::part::f() }",
        "use crate::high as h; fn g() { h::part::f() }",
        "use crate::high; fn g() { assert!(high::part::f()) }",
        "use crate::high; mod deeper { use super::*; fn g() { high::part::f() } }",
        "use crate::high::*; fn g() { part::f() }",
    ] {
        let findings = findings_of(code).join("\n");
        assert!(
            findings.contains("from house/src/high/part.rs"),
            "{code}: {findings}"
        );
    }
}

#[test]
fn a_path_into_a_module_leads_to_its_own_file_alone() {
    let findings = findings_of("use crate::high::part::f;");
    assert_findings_of_part(&findings);
    assert_findings_of_part(&findings_of("fn g() { crate::high::part::Type::new() }"));
}

#[track_caller]
fn assert_findings_of_part(findings: &[String]) {
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].contains("from house/src/high/part.rs, upwards"),
        "{findings:?}"
    );
}

#[test]
fn what_leads_into_no_file_of_the_crate_is_no_import() {
    for code in [
        "use high::f;",
        "use ::high::f;",
        "use other::high::f;",
        "fn g() { ::high::f() }",
        "fn g() { high::f() }",
        "fn g() { assert!(::high::f() && other::crate_high::f()) }",
        "fn g() { assert!(value.high::<T>() && high::f()) }",
        "pub(in crate::low) fn g() {}",
        "/// As [`crate::high::f`] does.\nfn g() { \"crate::high::f\" }",
        "fn g() { quote!(crate::high::f()) }",
        "mod high { pub fn f() {} }\nuse self::high::f;\nfn g() { high::f() }",
        "mod deeper { use super::g; }\nuse self::deeper::*;",
        "macro_rules! made_high { () => {} }\nfn g() { made_high!() }",
    ] {
        assert_eq!(findings_of(code), [""; 0], "{code}");
    }
}

#[test]
fn code_that_only_tests_may_import_anything() {
    for code in [
        "#[cfg(test)] use crate::high::f;",
        "#[cfg(test)] mod tests { use crate::high::f; }",
        "#[cfg(test)] mod tests;",
        "#[cfg(test)] mod made_up;",
        "mod tests;",
        "#[cfg(all(test, unix))] fn g() { crate::high::f() }",
        "#[cfg(any(test, doctest))] fn g() { crate::high::f() }",
        "#[test] fn g() { crate::high::f() }",
        "impl Low { #[cfg(test)] fn g() { crate::high::f() } }",
        "struct Low { #[cfg(test)] field: crate::high::T }",
        "fn g() { #[cfg(test)] crate::high::f(); }",
        "fn g() { #[cfg(test)] let x = crate::high::f(); }",
        "fn g() { match x { #[cfg(test)] y => crate::high::f(), _ => {} } }",
    ] {
        let files = [
            ("lib.rs", "mod high;\nmod low;"),
            ("high.rs", ""),
            ("low.rs", code),
            ("low/tests.rs", "use crate::high::f;"),
            ("low/tests/more.rs", "use crate::high::f;"),
            ("low/made_up.rs", "use crate::high::f;"),
        ];
        let kept = if code.contains("made_up") {
            &files[..]
        } else {
            &files[..5]
        };
        assert_findings(&check_crate("high\nlow", kept), &[]);
    }
    for code in [
        "#[cfg(not(test))] use crate::high::f;",
        "#[cfg(any(test, unix))] use crate::high::f;",
        "#[cfg(feature = \"test\")] use crate::high::f;",
    ] {
        assert_eq!(findings_of(code).len(), 1, "{code}");
    }
}

#[test]
fn an_import_is_counted_once_for_two_files_and_not_for_the_root() {
    let report = check_crate(
        "high\nlow base",
        &[
            ("lib.rs", "mod base; mod high; mod low; pub use high::H;"),
            ("base.rs", ""),
            ("high.rs", "use crate::{base, low};\nuse crate::low::Low;"),
            ("low.rs", "use crate::high::H;\n#[cfg(test)]\nmod tests;"),
            ("low/tests.rs", "use crate::base;"),
        ],
    );
    let expected = Counts {
        folder: "house/src".to_owned(),
        files: 3,
        imports: 3,
        upward: 1,
        circles: vec![2],
    };
    assert_eq!(report.crates, [expected]);
}
