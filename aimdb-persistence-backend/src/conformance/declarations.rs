//! What is declared of series selects among them, and changes no row.

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::StoredValue;
use crate::contract::read::ReadRequest;
use crate::contract::terms::SeriesDeclaration;

const SENSOR: &str = "room.{sensor}";
const WINDOW: &str = "room.{window}";

fn declaration(record_name: &str, template: &'static str) -> SeriesDeclaration {
    SeriesDeclaration::new(record_name).with_template(template)
}

async fn store_in_rooms(subject: &Subject) -> Vec<StoredValue> {
    let mut stored = Vec::new();
    for name in ["room.sensor", "room.window", "room.undeclared"] {
        stored.extend((1..=3).map(|n| row(name, n, n)));
    }
    subject.store_all(&stored).await;
    in_order(&stored)
}

pub(crate) async fn declaring_changes_no_row(subject: Subject) {
    let rooms = [
        declaration("room.sensor", SENSOR),
        declaration("room.window", WINDOW),
    ];
    subject.declare(&rooms).await;
    let nothing = subject.select("#").await;
    expect_rows(&nothing, &[], "a declared series without rows has none");
    let stored = store_in_rooms(&subject).await;
    subject.declare(&[]).await;
    for _ in 0..3 {
        subject.declare(&rooms).await;
        expect_rows(
            &subject.select("#").await,
            &stored,
            "declaring a series, and declaring it again, must leave its rows as they were",
        );
    }
}

/// The rows of `pattern` under `template`, which pages of every size must agree on.
async fn expect_of_template(
    subject: &Subject,
    (pattern, template): (&str, &'static str),
    rows: &[StoredValue],
    expected_names: &[&str],
) {
    let mut expected = rows.to_vec();
    expected.retain(|row| expected_names.contains(&row.record_name.as_str()));
    for max_rows in 1..=rows.len() {
        let request = ReadRequest {
            template: Some(template),
            max_rows,
            ..read_request(pattern)
        };
        let promise = format!(
            "`{pattern}` with the template `{template}` must select the series declared with it, and of an exact \
             key also one that was never declared"
        );
        expect_rows(&subject.read(request).await, &expected, &promise);
    }
}

pub(crate) async fn a_template_selects_the_series_declared_with_it(subject: Subject) {
    if !subject.keeps_declarations() {
        return;
    }
    subject.declare(&[declaration("room.sensor", SENSOR)]).await;
    let rows = store_in_rooms(&subject).await;
    subject.declare(&[declaration("room.window", WINDOW)]).await;
    for (selection, expected) in [
        (("room.*", SENSOR), &["room.sensor"][..]),
        (("#", WINDOW), &["room.window"]),
        (("room.*", "room.{door}"), &[]),
        (("room.sensor", SENSOR), &["room.sensor"]),
        (("room.sensor", WINDOW), &[]),
        (("room.undeclared", SENSOR), &["room.undeclared"]),
    ] {
        expect_of_template(&subject, selection, &rows, expected).await;
    }
    let without_template = subject.read(read_request("room.*")).await;
    let promise = "without a template, declarations must not narrow a selection";
    expect_rows(&without_template, &rows, promise);
}

pub(crate) async fn the_latest_declaration_of_a_series_counts(subject: Subject) {
    if !subject.keeps_declarations() {
        return;
    }
    let rows = store_in_rooms(&subject).await;
    subject.declare(&[declaration("room.sensor", SENSOR)]).await;
    subject.declare(&[declaration("room.sensor", WINDOW)]).await;
    expect_of_template(&subject, ("room.*", SENSOR), &rows, &[]).await;
    expect_of_template(&subject, ("room.*", WINDOW), &rows, &["room.sensor"]).await;
}

pub(crate) async fn a_declaration_without_a_template_leaves_the_one_that_is_known(
    subject: Subject,
) {
    if !subject.keeps_declarations() {
        return;
    }
    let rows = store_in_rooms(&subject).await;
    subject.declare(&[declaration("room.sensor", SENSOR)]).await;
    let untyped = ["room.sensor", "room.undeclared"].map(SeriesDeclaration::new);
    subject.declare(&untyped).await;
    expect_of_template(&subject, ("room.*", SENSOR), &rows, &["room.sensor"]).await;
    expect_of_template(
        &subject,
        ("room.undeclared", SENSOR),
        &rows,
        &["room.undeclared"],
    )
    .await;
}
