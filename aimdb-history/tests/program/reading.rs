//! `series`, `show` and `stats`.

use serde_json::json;

use crate::support::{Outcome, run, weather};

#[test]
fn the_series_are_listed_with_what_is_known_of_them() {
    let series = run(weather(), &["series", "--count", "--json"]).json();
    let keys: Vec<_> = series.iter().map(|s| s["record_name"].clone()).collect();
    assert_eq!(
        keys,
        ["door.front", "temperature.seattle", "temperature.sf"]
    );
    let sf = &series[2];
    assert_eq!(sf["template"], "temperature.{station}");
    assert_eq!(sf["type_name"], "Temperature");
    assert_eq!(sf["units"], "°C");
    assert_eq!(sf["rows"], 8_759);
    assert_eq!(sf["first_ms"], 1_262_304_000_000_u64);
    assert_eq!(sf["retention_ms"], "ever");
    assert_eq!(series[0]["retention_ms"], 20 * 365 * 86_400_000_u64);

    let table = run(weather(), &["series", "temperature.*"]).ok();
    assert!(table.contains("│ temperature.sf "), "{table}");
    assert!(table.contains("2010-12-31 23:00:00"), "{table}");
    assert!(!table.contains("door"), "{table}");
}

#[test]
fn silent_series_are_those_without_a_row_for_so_long() {
    let silent = run(weather(), &["series", "--silent", "1h", "--json"]).json();
    assert_eq!(silent.len(), 3);
    assert!(silent[0]["silent_ms"].as_u64() > Some(15 * 365 * 86_400_000));
    let none = run(weather(), &["series", "--silent", "90y"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert!(none.err.contains("No series is silent"), "{}", none.err);
}

#[test]
fn rows_are_shown_as_they_are_stored() -> Outcome {
    let rows = run(
        weather(),
        &[
            "show",
            "temperature.*",
            "--from",
            "2010-07-01",
            "--to",
            "2010-07-31",
            "--where",
            "celsius > 21 and station = 'sf'",
            "--by-time",
            "--oldest",
            "--limit",
            "3",
            "--json",
        ],
    )
    .json();
    let times: Vec<_> = rows.iter().map(|row| row["stored_at"].as_u64()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert_eq!(row["record_name"], "temperature.sf");
        assert!(row["value"]["celsius"].as_f64() > Some(21.0), "{row}");
    }

    let csv = run(weather(), &["show", "door.front", "--csv"]).ok();
    let mut csv = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(
        csv.headers()?,
        vec!["record_name", "stored_at", "at", "locked", "state"]
    );
    assert_eq!(csv.records().count(), 4);

    let table = run(weather(), &["show", "door.front"]).ok();
    assert!(table.contains("┆ 2010-01-01 03:00:00 ┆"), "{table}");
    Ok(())
}

#[test]
fn a_day_as_the_end_of_a_range_is_all_of_that_day() {
    let of = |to: &str| {
        let arguments = [
            "show",
            "temperature.sf",
            "--from",
            "2010-07-01",
            "--to",
            to,
            "--json",
        ];
        run(weather(), &arguments).json().len()
    };
    assert_eq!(of("2010-07-01"), 24);
    assert_eq!(of("2010-07-01T00:00"), 1);
}

#[test]
fn a_field_is_summed_up_over_each_series_and_over_all() {
    let stats = run(weather(), &["stats", "temperature.*", "celsius", "--json"]).json();
    assert_eq!(stats.len(), 2);
    assert_eq!(stats[1]["count"], 8_759);
    let mean = stats[1]["mean"].as_f64().unwrap();
    assert!((mean - 13.8467).abs() < 1e-3, "{mean}");
    assert!(stats[1]["p5"].as_f64() < stats[1]["p50"].as_f64());

    let all = ["stats", "temperature.*", "celsius", "--combined", "--json"];
    assert_eq!(run(weather(), &all).json()[0]["count"], 2 * 8_759);
    let table = run(weather(), &["stats", "temperature.sf", "celsius"]).ok();
    assert!(table.contains("mean °C"), "{table}");
}

#[test]
fn a_field_is_summed_up_month_by_month_in_a_time_zone() {
    let months = [
        "stats",
        "temperature.sf",
        "celsius",
        "--every",
        "month",
        "--json",
    ];
    let months = run(weather(), &months).json();
    assert_eq!(months.len(), 12);
    assert_eq!(months[1]["count"], 28 * 24);
    let hours = [
        "stats",
        "temperature.sf",
        "celsius",
        "--every",
        "6h",
        "--to",
        "2010-01-01",
        "--json",
    ];
    let hours = run(weather(), &hours).json();
    assert_eq!(
        hours.iter().map(|h| h["count"].clone()).collect::<Vec<_>>(),
        [6, 6, 6, 6]
    );
}

#[test]
fn a_text_or_a_truth_value_is_answered_with_how_long_it_was_what() {
    let states = run(weather(), &["stats", "door.front", "state", "--json"]).json();
    let of = |states: &[serde_json::Value], state| {
        let found = states.iter().find(|s| s["state"] == state);
        found.map(|s| (s["total_ms"].clone(), s["times"].clone()))
    };
    assert_eq!(
        of(&states, json!("shut")),
        Some((json!(7_200_000), json!(1)))
    );
    assert_eq!(of(&states, json!("open")).map(|of| of.1), Some(json!(2)));
    let locked = run(weather(), &["stats", "door.front", "locked", "--json"]).json();
    assert_eq!(of(&locked, json!(true)), Some((json!(3_600_000), json!(1))));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_early_is_no_error() -> Outcome {
    let mut child = crate::support::tool(weather(), &["show", "#", "--limit", "20000", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    drop(child.stdout.take());
    let output = child.wait_with_output()?;
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr)?, "");
    Ok(())
}
