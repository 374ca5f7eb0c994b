//! What the history holds, for the eye.

use aimdb_persistence::Counts;
use aimdb_persistence_examples::readings::{Station, date_of};
use comfy_table::{CellAlignment, Table, presets};
use indicatif::HumanCount;
use rasciigraph::Config;

use crate::station::Temperature;

/// A station and its whole history, newest first.
pub(crate) type History = (&'static Station, Vec<Temperature>);

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
pub(crate) fn table(histories: &[History]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "series", "rows", "first", "last", "min °C", "mean °C", "max °C",
    ]);
    for column in [1, 4, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (station, newest_first) in histories {
        let series = Temperature::series(station.name);
        let date = |reading: Option<&Temperature>| {
            reading.map_or_else(|| "–".to_owned(), |reading| date_of(reading.at))
        };
        table.add_row([
            series.key().to_owned(),
            HumanCount(newest_first.len() as u64).to_string(),
            date(newest_first.last()),
            date(newest_first.first()),
            format!("{:.2}", fold(newest_first, f64::min)),
            format!("{:.2}", mean(newest_first)),
            format!("{:.2}", fold(newest_first, f64::max)),
        ]);
    }
    table.to_string()
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

fn fold(readings: &[Temperature], pick: fn(f64, f64) -> f64) -> f64 {
    let celsius = readings.iter().map(|reading| reading.celsius);
    celsius.reduce(pick).unwrap_or(f64::NAN)
}

fn mean(readings: &[Temperature]) -> f64 {
    readings.iter().map(|reading| reading.celsius).sum::<f64>() / readings.len() as f64
}

/// A curve of the year, a point for every five days.
pub(crate) fn plot(city: &str, newest_first: &[Temperature]) -> String {
    const HOURS_PER_POINT: usize = 5 * 24;
    let mut oldest_first = newest_first.to_vec();
    oldest_first.reverse();
    let points: Vec<f64> = oldest_first.chunks(HOURS_PER_POINT).map(mean).collect();
    let curve = rasciigraph::plot(points, Config::default().with_height(8));
    let lines: Vec<&str> = curve.lines().map(str::trim_end).collect();
    let curve = lines.join("\n");
    format!("{city}, means of five days in °C\n{curve}\n{MONTHS}")
}

/// A month is six points wide; the curve begins right of its axis.
const MONTHS: &str =
    "         Jan   Feb   Mar   Apr   May   Jun   Jul   Aug   Sep   Oct   Nov   Dec";
