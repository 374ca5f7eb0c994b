//! Circles of imports.

use super::{assert_findings, check_crate};

#[test]
fn a_circle_within_a_layer_is_printed_whole() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "//! The first.\nuse crate::b::B;"),
        (
            "b.rs",
            "fn f() {\n    super::c::g();\n    super::c::h();\n}",
        ),
        ("c.rs", "use crate::a;\nuse crate::d::D;"),
        ("d.rs", ""),
    ];
    let report = check_crate("a b c d", &files);
    assert_findings(
        &report,
        &[
            "house/src: 3 files import each other in a circle: a.rs, b.rs, c.rs
  a way round:
    house/src/a.rs:2 imports `crate::b::B` from house/src/b.rs
    house/src/b.rs:2 imports `super::c::g` (and in one more line) from house/src/c.rs
    house/src/c.rs:1 imports `crate::a` from house/src/a.rs",
        ],
    );
    assert_eq!(report.crates[0].circles, [3]);
}

#[test]
fn every_file_of_a_circle_lies_on_one_of_the_ways_round() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::{b, c};"),
        ("b.rs", "use crate::a;"),
        ("c.rs", "use crate::a;"),
    ];
    let report = check_crate("a b c", &files);
    assert_findings(
        &report,
        &[
            "house/src: 3 files import each other in a circle: a.rs, b.rs, c.rs
  a way round:
    house/src/a.rs:1 imports `crate::b` from house/src/b.rs
    house/src/b.rs:1 imports `crate::a` from house/src/a.rs
  a way round:
    house/src/c.rs:1 imports `crate::a` from house/src/a.rs
    house/src/a.rs:1 imports `crate::c` from house/src/c.rs",
        ],
    );
}

#[test]
fn circles_apart_are_counted_apart() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::{a::A, c::C};"),
        ("c.rs", "use crate::d::D;"),
        ("d.rs", "use crate::c::C;"),
    ];
    assert_eq!(check_crate("a b c d", &files).crates[0].circles, [2, 2]);
}

#[test]
fn a_module_that_only_declares_its_children_may_be_imported_by_them() {
    let files = [
        ("lib.rs", "mod query;"),
        ("query.rs", "mod rows;\npub(crate) struct Query;"),
        ("query/rows.rs", "use super::Query;"),
    ];
    assert_findings(&check_crate("query/", &files), &[]);
}

#[test]
fn a_child_that_imports_from_the_module_that_re_exports_it_closes_a_circle() {
    for re_export in [
        "pub(crate) use self::rows::Rows;",
        "pub(crate) use rows::Rows;",
        "pub(crate) use rows::*;",
    ] {
        let parent = format!("mod rows;\n{re_export}\npub(crate) struct Query;");
        let files = [
            ("lib.rs", "mod query;"),
            ("query.rs", &parent),
            ("query/rows.rs", "use super::Query;"),
        ];
        let report = check_crate("query\nquery/rows", &files);
        assert_eq!(report.crates[0].circles, [2], "{re_export}");
        assert_eq!(report.crates[0].upward, 1, "{re_export}");
    }
}

#[test]
fn an_item_is_imported_from_the_module_that_the_path_names_not_from_where_that_has_it() {
    let files = [
        ("lib.rs", "mod query; mod store;"),
        ("query.rs", "mod rows;\npub(crate) use self::rows::Rows;"),
        ("query/rows.rs", "use crate::store::Store;"),
        ("store.rs", "use crate::query::Rows;"),
    ];
    assert_findings(
        &check_crate("query/ store", &files),
        &[
            "house/src: 3 files import each other in a circle: query.rs, query/rows.rs, store.rs
  a way round:
    house/src/query.rs:2 imports `self::rows::Rows` from house/src/query/rows.rs
    house/src/query/rows.rs:1 imports `crate::store::Store` from house/src/store.rs
    house/src/store.rs:1 imports `crate::query::Rows` from house/src/query.rs",
        ],
    );
}
