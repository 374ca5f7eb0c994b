//! What the history holds, for the eye.

use aimdb_persistence::{
    Persisted,
    answers::{Bucket, Sample, SeriesSummary},
    report::Counts,
};
use aimdb_persistence_examples::readings::date_of;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::HumanCount;
use rasciigraph::Config;

use crate::station::Temperature;

/// What became of the values that this run produced.
pub(crate) fn losses(counts: &Counts) -> String {
    let losses = match counts.lost() {
        0 => "none lost".to_owned(),
        lost => format!("{} LOST: {counts:?}", HumanCount(lost)),
    };
    format!(
        "{} readings recorded: {} stored, {losses}.",
        HumanCount(counts.produced),
        HumanCount(counts.stored)
    )
}

/// One line for each station.
pub(crate) fn table(years: &[SeriesSummary]) -> String {
    let mut table = empty_table(&[
        "series", "rows", "first", "last", "min °C", "mean °C", "max °C",
    ]);
    for SeriesSummary {
        record_name,
        summary,
        ..
    } in years
    {
        let date = |sample: Option<Sample>| {
            sample.map_or_else(|| "–".to_owned(), |sample| date_of(sample.at_ms))
        };
        table.add_row([
            record_name.clone(),
            HumanCount(summary.count()).to_string(),
            date(summary.first()),
            date(summary.last()),
            celsius(summary.min()),
            celsius(summary.mean()),
            celsius(summary.max()),
        ]);
    }
    // Dates are no numbers.
    for column in [2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    table.to_string()
}

/// One line for each month, with the hours that were warm.
pub(crate) fn months(months: &[Bucket], warm: &[Bucket]) -> String {
    let mut table = empty_table(&["month", "mean °C", "min °C", "max °C", "h > 20 °C"]);
    for (month, warm) in months.iter().zip(warm) {
        table.add_row([
            date_of(month.start_ms)[..7].to_owned(),
            celsius(month.summary.mean()),
            celsius(month.summary.min()),
            celsius(month.summary.max()),
            warm.summary.count().to_string(),
        ]);
    }
    table.to_string()
}

/// Columns of numbers after the first.
fn empty_table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(columns.iter().copied());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn celsius(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}

/// One reading as a line of a list.
pub(crate) fn reading(reading: &Temperature) -> String {
    format!(
        "  {:<8} {:>5.1} °C  {}",
        reading.station,
        reading.celsius,
        date_of(reading.at)
    )
}

/// So many that a month is six of them wide.
pub(crate) const POINTS: usize = 73;

/// A curve of the year.
pub(crate) fn plot(city: &str, points: &[Persisted<f64>]) -> String {
    let points: Vec<f64> = points.iter().map(|point| point.value).collect();
    let count = points.len();
    let curve = rasciigraph::plot(points, Config::default().with_height(8));
    let lines: Vec<&str> = curve.lines().map(str::trim_end).collect();
    let curve = lines.join("\n");
    format!("{city}, the year in {count} readings, °C\n{curve}\n{MONTHS}")
}

/// The curve begins right of its axis.
const MONTHS: &str =
    "         Jan   Feb   Mar   Apr   May   Jun   Jul   Aug   Sep   Oct   Nov   Dec";
