//! What was stored against what was produced, for the eye.

use aimdb_persistence::PersistenceStats;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::HumanCount;

pub(crate) fn table(stats: &PersistenceStats) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "record",
        "produced",
        "stored",
        "left out",
        "overwritten",
        "lost",
        "stored of 100",
    ]);
    for column in 1..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let records = stats
        .records
        .iter()
        .map(|record| (record.record_name.as_str(), &record.counts));
    for (name, counts) in records.chain([("all", &stats.total)]) {
        table.add_row([
            name.to_owned(),
            HumanCount(counts.produced).to_string(),
            HumanCount(counts.stored).to_string(),
            HumanCount(counts.suppressed).to_string(),
            HumanCount(counts.overwritten).to_string(),
            HumanCount(counts.lost()).to_string(),
            format!(
                "{:.1}",
                100.0 * counts.stored as f64 / counts.produced.max(1) as f64
            ),
        ]);
    }
    table.to_string()
}
