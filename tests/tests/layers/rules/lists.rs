//! The list of layers, and the files that it places.

use super::{FENCE, assert_findings, check_crate, check_document};

const FLAT: [(&str, &str); 3] = [
    ("lib.rs", "mod high; mod low;"),
    ("high.rs", ""),
    ("low.rs", ""),
];

const FOLDERS: [(&str, &str); 6] = [
    ("lib.rs", "mod query; mod store;"),
    ("query.rs", "mod answers; mod text;"),
    ("query/answers/mod.rs", "mod rows;"),
    ("query/answers/rows.rs", "use crate::query::text::Text;"),
    ("query/text.rs", ""),
    ("store.rs", "use crate::query::text::Text;"),
];

#[test]
fn a_crate_that_keeps_to_its_layers_is_not_reported() {
    assert_findings(
        &check_crate("high  the upper one\nlow   the lower one", &FLAT),
        &[],
    );
    assert_findings(&check_crate("high low", &FLAT), &[]);
}

#[test]
fn a_folder_holds_everything_in_it_and_its_module_file() {
    assert_findings(&check_crate("store\nquery/", &FOLDERS), &[]);
}

#[test]
fn the_narrowest_entry_places_a_file() {
    assert_findings(
        &check_crate(
            "query/\nquery/answers/  what is made of rows\nstore query/text",
            &FOLDERS,
        ),
        &[],
    );
    let upside_down = check_crate("query/\nstore\nquery/answers/", &FOLDERS);
    assert_findings(
        &upside_down,
        &[
            "house/src/query/answers/rows.rs:1 imports `crate::query::text::Text` from house/src/query/text.rs, \
             upwards from the layer `query/answers/` to the layer `query/`",
            "house/src/store.rs:1 imports `crate::query::text::Text` from house/src/query/text.rs, \
             upwards from the layer `store` to the layer `query/`",
        ],
    );
}

#[test]
fn a_file_of_no_layer_is_reported() {
    let report = check_crate("high", &FLAT);
    assert_findings(
        &report,
        &["house/src/low.rs belongs to no layer of ARCHITECTURE.md"],
    );
}

#[test]
fn a_folder_is_no_place_for_files_beside_it() {
    let report = check_crate("query/answers/\nquery/text\nstore", &FOLDERS);
    assert_eq!(
        report.findings[0],
        "house/src/query.rs belongs to no layer of ARCHITECTURE.md"
    );
}

#[test]
fn a_file_that_two_layers_name_is_reported() {
    let report = check_crate("high\nlow high", &FLAT);
    assert_findings(
        &report,
        &["ARCHITECTURE.md:6: `high` of house/src is named already in line 5"],
    );
}

#[test]
fn an_entry_without_files_is_reported() {
    let how_to_write =
        "(`name` is a file without `.rs`, `name/` a folder, and two spaces come before the text)";
    for gone in ["gone", "gone/", "low.rs", "lib", "hig", "igh"] {
        let report = check_crate(&format!("high\nlow\n{gone}"), &FLAT);
        let expected =
            format!("ARCHITECTURE.md:7: no file of house/src belongs to `{gone}` {how_to_write}");
        assert_findings(&report, &[&expected]);
    }
    // All of the folder's files are taken by narrower entries.
    let report = check_crate("query/\nquery/answers/ query query/text\nstore", &FOLDERS);
    assert!(
        report.findings[0]
            .starts_with("ARCHITECTURE.md:5: no file of house/src belongs to `query/` ")
    );
}

#[test]
fn a_text_after_a_single_space_is_not_taken_for_files() {
    let report = check_crate("high\nlow the lower one", &FLAT);
    assert_eq!(report.findings.len(), 3, "{:?}", report.findings);
}

#[test]
fn a_crate_without_layers_is_reported() {
    for document in ["", "# House\n\n```text\nhouse/src\nhigh low\n```\n"] {
        let report = check_document(document, &FLAT);
        assert_findings(&report, &["ARCHITECTURE.md lists no layers of house/src"]);
    }
}

#[test]
fn layers_of_no_crate_and_a_second_list_are_reported() {
    let list = |folder: &str| format!("{FENCE}layers\n{folder}\nhigh low\n{FENCE}\n\nText.\n\n");
    let document = list("house/src") + &list("shed/src") + &list("house/src");
    assert_findings(
        &check_document(&document, &FLAT),
        &[
            "ARCHITECTURE.md lists layers of `shed/src`, which is no crate's `src` folder",
            "ARCHITECTURE.md lists the layers of `house/src` twice",
        ],
    );
}
