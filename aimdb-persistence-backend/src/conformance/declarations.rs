//! What is declared of series selects among them, comes back when asked for, and changes no row.

use crate::conformance::subject::{Subject, expect_rows, in_order, read_request, row};
use crate::contract::backend::StoredValue;
use crate::contract::error::PersistenceError;
use crate::contract::feature::Feature;
use crate::contract::pattern::Pattern;
use crate::contract::read::ReadRequest;
use crate::contract::retention::Retention;
use crate::contract::terms::{DeclaredField, FieldKind, OnDuplicate, SeriesDeclaration};

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
            template: Some(template.into()),
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

/// Everything that can be declared, by record name.
pub(crate) fn all_kinds() -> Vec<SeriesDeclaration> {
    let fields = [
        DeclaredField::new("celsius")
            .with_kind(FieldKind::Float)
            .with_unit("°C"),
        DeclaredField::new("wind.gust").with_unit("m/s \"\\ 東京"),
        DeclaredField::new("axes.0").with_kind(FieldKind::Other),
        DeclaredField::new(""),
    ];
    let for_ever = Some(Retention::Forever);
    let hour = Some(Retention::Milliseconds(3_600_000));
    let none = Some(Retention::Milliseconds(0));
    vec![
        SeriesDeclaration::new("a.all")
            .with_template("a.{what}")
            .with_retention(hour)
            .with_keep_last(7)
            .with_max_rows(1_000)
            .with_on_duplicate(OnDuplicate::Replace)
            .with_type_name("Power<\"f64\">")
            .with_version(7)
            .with_fields(fields),
        SeriesDeclaration::new("a.kept")
            .with_template("a.{what}")
            .with_retention(for_ever),
        SeriesDeclaration::new("a::ignored").with_on_duplicate(OnDuplicate::Ignore),
        SeriesDeclaration::new("b.none").with_retention(none),
        SeriesDeclaration::new("b.nothing"),
    ]
}

/// Panics unless `pattern` selects just these.
#[track_caller]
pub(crate) fn expect_declared(found: &[SeriesDeclaration], expected: &[SeriesDeclaration]) {
    assert_eq!(
        found, expected,
        "what was declared must come back as it was, by record name, and nothing else"
    );
}

pub(crate) async fn what_is_declared_comes_back_with_its_texts(subject: Subject) {
    if !subject.supports(Feature::Declarations) {
        let refused = subject.backend.declarations(&Pattern::exact("a")).await;
        assert!(
            matches!(
                refused,
                Err(PersistenceError::Unsupported(Feature::Declarations))
            ),
            "a backend that cannot give declarations back must say so"
        );
        return;
    }
    expect_declared(&subject.declarations("#").await, &[]);
    store_in_rooms(&subject).await;
    expect_declared(&subject.declarations("#").await, &[]);
    let mut reversed = all_kinds();
    reversed.reverse();
    subject.declare(&reversed).await;
    expect_declared(&subject.declarations("#").await, &all_kinds());
    let stored: Vec<_> = (0..3).map(|n| row("a.all", n, n)).collect();
    subject.store_batch(&stored).await;
    subject.cleanup(u64::MAX).await;
    expect_declared(&subject.declarations("#").await, &all_kinds());
}

pub(crate) async fn declarations_are_selected_by_pattern(subject: Subject) {
    if !subject.supports(Feature::Declarations) {
        return;
    }
    subject.declare(&all_kinds()).await;
    for pattern in ["*", "a.*", "a::*", "b.none", "b.*", "#.all", "c", "c.#"] {
        let selects = Pattern::parse(pattern).expect("a pattern");
        let mut expected = all_kinds();
        expected.retain(|declared| selects.matches(&declared.record_name));
        expect_declared(&subject.declarations(pattern).await, &expected);
    }
    let literal = subject.backend.declarations(&Pattern::exact("a.*")).await;
    expect_declared(&literal.expect("no key is too odd to be asked for"), &[]);
}

pub(crate) async fn the_latest_declaration_of_a_series_comes_back(subject: Subject) {
    if !subject.supports(Feature::Declarations) {
        return;
    }
    let earlier = all_kinds();
    subject.declare(&earlier).await;
    // The terms of the next, so that each one changes; without a template, the earlier one holds.
    let latest: Vec<_> = (0..earlier.len())
        .map(|index| SeriesDeclaration {
            record_name: earlier[index].record_name.clone(),
            ..earlier[(index + 1) % earlier.len()].clone()
        })
        .collect();
    subject.declare(&[&earlier[..], &latest].concat()).await;
    let expected: Vec<_> = earlier
        .into_iter()
        .zip(latest)
        .map(|(earlier, latest)| SeriesDeclaration {
            template: latest.template.clone().or(earlier.template),
            ..latest
        })
        .collect();
    expect_declared(&subject.declarations("#").await, &expected);
}
