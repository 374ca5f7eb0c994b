//! An answer's rows as a table, as JSON or as CSV.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Map, Value};

use crate::output::cell::Cell;
use crate::question::Clock;

/// How answers are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// A table for people.
    #[default]
    Table,
    /// One JSON object in each line.
    Json,
    /// CSV with a header.
    Csv,
}

/// A column: its heading for people, and its name for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// For people.
    pub heading: String,
    /// For programs.
    pub name: String,
}

impl Column {
    /// With a heading and a name.
    pub fn new(heading: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            name: name.into(),
        }
    }
}

/// Writes answers in one format.
pub struct Printer<'o> {
    pub(crate) format: Format,
    pub(crate) clock: &'o Clock,
    /// Of the terminal, where there is one.
    pub(crate) width: Option<u16>,
    pub(crate) out: &'o mut dyn Write,
}

impl Printer<'_> {
    /// Writes rows below their columns.
    ///
    /// # Errors
    /// The output's.
    pub fn print(&mut self, columns: &[Column], rows: &[Vec<Cell>]) -> io::Result<()> {
        match self.format {
            Format::Table => self.table(columns, rows),
            Format::Json => rows.iter().try_for_each(|row| self.json(columns, row)),
            Format::Csv => self.csv(columns, rows),
        }
    }

    /// Whether what is only for people is wanted.
    pub fn is_for_people(&self) -> bool {
        self.format == Format::Table
    }

    fn table(&mut self, columns: &[Column], rows: &[Vec<Cell>]) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(columns.iter().map(|column| &column.heading));
        for row in rows {
            table.add_row(row.iter().map(|cell| cell.for_people(self.clock)));
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            let mut cells = rows.iter().filter_map(|row| row.get(index));
            if cells.any(Cell::is_number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        // In a pipe nothing is cut or wrapped.
        if let Some(width) = self.width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        let table = table.to_string();
        let lines = table.lines().map(str::trim_end);
        lines
            .into_iter()
            .try_for_each(|line| writeln!(self.out, "{line}"))
    }

    fn json(&mut self, columns: &[Column], row: &[Cell]) -> io::Result<()> {
        let members = columns
            .iter()
            .zip(row)
            .map(|(column, cell)| (column.name.clone(), cell.json()));
        let object = Value::Object(members.collect::<Map<_, _>>());
        writeln!(self.out, "{object}")
    }

    fn csv(&mut self, columns: &[Column], rows: &[Vec<Cell>]) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(&mut self.out);
        csv.write_record(columns.iter().map(|column| &column.name))?;
        for row in rows {
            csv.write_record(row.iter().map(Cell::csv))?;
        }
        csv.flush()
    }
}
