//! The figures: a table on the terminal, and JSON.

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use serde_json::{Value, json};

/// What a figure is compared with unless it says otherwise.
pub(crate) const RAW: &str = "raw SQLite";

/// One measured figure, and what it stands beside.
struct Figure {
    group: &'static str,
    case: String,
    unit: &'static str,
    ours: f64,
    reference: Option<(&'static str, f64)>,
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Report {
    group: &'static str,
    figures: Vec<Figure>,
}

impl Report {
    /// Figures belong to this group from now on.
    pub(crate) fn begin(&mut self, group: &'static str) {
        self.group = group;
    }

    /// A figure, and raw SQLite's for the same work.
    pub(crate) fn beside_raw(
        &mut self,
        case: impl Into<String>,
        unit: &'static str,
        ours: f64,
        raw: f64,
    ) {
        self.add(case.into(), unit, ours, Some((RAW, raw)));
    }

    /// A figure, and another one that it is to be judged by.
    pub(crate) fn beside(
        &mut self,
        case: impl Into<String>,
        unit: &'static str,
        ours: f64,
        reference: (&'static str, f64),
    ) {
        self.add(case.into(), unit, ours, Some(reference));
    }

    /// A figure that stands for itself.
    pub(crate) fn alone(&mut self, case: impl Into<String>, unit: &'static str, ours: f64) {
        self.add(case.into(), unit, ours, None);
    }

    fn add(
        &mut self,
        case: String,
        unit: &'static str,
        ours: f64,
        reference: Option<(&'static str, f64)>,
    ) {
        self.figures.push(Figure {
            group: self.group,
            case,
            unit,
            ours,
            reference,
        });
    }

    /// The figures of the group at hand.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["case", "ours", "beside", "", "ratio", "unit"]);
        for figure in self.figures.iter().filter(|f| f.group == self.group) {
            let (name, reference, ratio) = match figure.reference {
                // Nothing has no ratio to anything.
                Some((name, 0.0)) => (name, number(0.0), String::new()),
                Some((name, value)) => (name, number(value), number(figure.ours / value)),
                None => ("", String::new(), String::new()),
            };
            table.add_row([
                &figure.case,
                &number(figure.ours),
                &reference,
                name,
                &ratio,
                figure.unit,
            ]);
        }
        for column in [1, 2, 4] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        format!("{}\n{table}\n", self.group)
    }

    /// All figures of the run.
    pub(crate) fn json(&self, quick: bool) -> Value {
        let figures = self.figures.iter().map(|figure| {
            let (name, value) = figure.reference.unzip();
            json!({
                "group": figure.group,
                "case": figure.case,
                "unit": figure.unit,
                "ours": figure.ours,
                "beside": name,
                "reference": value,
                "ratio": value.filter(|value| *value != 0.0).map(|value| figure.ours / value),
            })
        });
        json!({
            "sqlite": rusqlite::version(),
            "cpus": std::thread::available_parallelism().map_or(0, usize::from),
            "quick": quick,
            "figures": figures.collect::<Vec<_>>(),
        })
    }
}

/// Three significant digits, thousands set apart.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 || v == 0.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (text.as_str(), String::new()),
    };
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &fraction
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_keep_three_digits_and_their_thousands_apart() {
        let shown = [0.0, 1.234, 73.45, 123.4, 1_234_567.8].map(number);
        assert_eq!(shown, ["0", "1.23", "73.5", "123", "1,234,568"]);
    }
}
