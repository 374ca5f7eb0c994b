//! `show`: rows.

use std::collections::BTreeMap;
use std::time::Duration;

use aimdb_persistence::Persisted;
use aimdb_persistence_backend::Order;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::commands::context::Context;
use crate::commands::selecting::Selecting;
use crate::error::HistoryError;
use crate::location::{OpenHistory, Purpose};
use crate::output::{Cell, Column, Format, Printer};
use crate::question::Selection;
use crate::seen::{field_at, fields_of};

/// Which rows are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selecting: Selecting,
    /// So many rows in all; `export` has them without a limit
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    limit: usize,
    /// The oldest rows first
    #[arg(long)]
    oldest: bool,
    /// The rows of all series in one order of time
    #[arg(long)]
    by_time: bool,
    /// Then wait for new rows, and show each as it is stored
    #[arg(long, conflicts_with_all = ["oldest", "to"])]
    follow: bool,
    /// How long to wait before looking for new rows again, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 500, requires = "follow")]
    every: u64,
}

type Row = Persisted<Box<RawValue>>;

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), HistoryError> {
    let history = context.open(Purpose::Read).await?;
    let selecting = &arguments.selecting;
    let mut question = selecting.question(context, &history).await?;
    if arguments.oldest {
        question = question.order(Order::OldestFirst);
    }
    if arguments.by_time || arguments.follow {
        question = question.by_time();
    }
    let question = question.limit(arguments.limit);
    let mut rows: Vec<Row> = question.decoded_as().rows().await?;
    if arguments.follow {
        rows.reverse();
        return follow(context, arguments, &history, rows).await;
    }
    if rows.is_empty() {
        return Err(selecting.nothing_found(context, &history).await);
    }
    print(context, &rows)?;
    if rows.len() == arguments.limit && context.format == Format::Table {
        context.say(&format!(
            "{} rows, and there may be more: --limit",
            rows.len()
        ));
    }
    Ok(())
}

fn print(context: &Context, rows: &[Row]) -> Result<(), HistoryError> {
    context.print(|printer| match printer.format {
        Format::Json => json_lines(printer, rows),
        Format::Table | Format::Csv => {
            let values: Vec<Value> = rows.iter().map(value_of).collect();
            let fields = fields_of(&values);
            let mut columns = vec![
                Column::new("series", "record_name"),
                Column::new("time", "stored_at"),
            ];
            columns.extend(fields.iter().map(|names| {
                let path = match names.is_empty() {
                    true => "value".to_owned(),
                    false => names.join("."),
                };
                Column::new(path.clone(), path)
            }));
            let cells: Vec<Vec<Cell>> = rows
                .iter()
                .zip(&values)
                .map(|(row, value)| cells(row, value, &fields))
                .collect();
            printer.print(&columns, &cells)
        }
    })
}

/// The value stands as it is stored, digit by digit.
fn json_lines(printer: &mut Printer<'_>, rows: &[Row]) -> std::io::Result<()> {
    rows.iter().try_for_each(|row| {
        writeln!(
            printer.out,
            r#"{{"record_name":{},"stored_at":{},"value":{}}}"#,
            json!(row.record_name),
            row.stored_at,
            row.value.get()
        )
    })
}

fn value_of(row: &Row) -> Value {
    serde_json::from_str(row.value.get()).unwrap_or(Value::Null)
}

fn cells(row: &Row, value: &Value, fields: &[Vec<String>]) -> Vec<Cell> {
    let mut cells = vec![
        Cell::Text(row.record_name.clone()),
        Cell::Time(row.stored_at),
    ];
    cells.extend(
        fields
            .iter()
            .map(|names| Cell::of(field_at(value, names).cloned(), Cell::Json)),
    );
    cells
}

/// What has been shown of a series: its newest time, and the rows of that time.
#[derive(Default)]
struct Shown {
    at_ms: u64,
    of_that_time: Vec<String>,
}

/// Looks for new rows again and again. A row whose time lies before the newest of its series is not noticed.
async fn follow(
    context: &Context,
    arguments: &Arguments,
    history: &OpenHistory,
    rows: Vec<Row>,
) -> Result<(), HistoryError> {
    let mut shown = BTreeMap::<String, Shown>::new();
    let mut selection = arguments.selecting.selection(context, history).await?;
    let is_shown = !rows.is_empty();
    // The newest row of every series is known before new ones are waited for.
    for newest in crate::seen::series(history, selection.pattern.as_str(), false).await? {
        let at_ms = newest.last_ms;
        let mut of_that_time = Vec::new();
        let mut exact = Selection::of(aimdb_persistence_backend::Pattern::exact(
            &*newest.record_name,
        ));
        exact.from_ms = Some(at_ms);
        exact.to_ms = Some(at_ms);
        let mut pages = exact.read(history);
        while let Some(page) = pages.next().await? {
            of_that_time.extend(page.iter().map(|row| row.json.to_owned()));
        }
        let known = Shown {
            at_ms,
            of_that_time,
        };
        shown.insert(newest.record_name, known);
    }
    if is_shown {
        lines(context, &rows)?;
    }
    loop {
        futures_timer::Delay::new(Duration::from_millis(arguments.every.max(10))).await;
        selection.from_ms = None;
        let new = new_rows(history, &selection, &mut shown).await?;
        lines(context, &new)?;
    }
}

/// Of each series the rows since its newest shown one, in order of time.
async fn new_rows(
    history: &OpenHistory,
    selection: &Selection,
    shown: &mut BTreeMap<String, Shown>,
) -> Result<Vec<Row>, HistoryError> {
    let mut new = Vec::new();
    for series in crate::seen::series(history, selection.pattern.as_str(), false).await? {
        let known = shown.entry(series.record_name.clone()).or_default();
        let mut since = selection.clone();
        since.pattern = aimdb_persistence_backend::Pattern::exact(&*series.record_name);
        since.from_ms = Some(known.at_ms);
        let mut pages = since.read(history);
        let mut seen_again = std::mem::take(&mut known.of_that_time);
        while let Some(page) = pages.next().await? {
            for row in page.iter() {
                if row.stored_at > known.at_ms {
                    known.at_ms = row.stored_at;
                    known.of_that_time.clear();
                }
                known.of_that_time.push(row.json.to_owned());
                let again = seen_again.iter().position(|json| json == row.json);
                if let Some(index) = again {
                    seen_again.swap_remove(index);
                    continue;
                }
                let is_wanted = selection
                    .test
                    .as_ref()
                    .is_none_or(|test| test.holds(row.json));
                if let (true, Ok(value)) = (is_wanted, serde_json::from_str(row.json)) {
                    new.push(Row {
                        record_name: row.record_name.to_owned(),
                        stored_at: row.stored_at,
                        value,
                        source: row.source.cloned(),
                    });
                }
            }
        }
    }
    new.sort_by_key(|row: &Row| row.stored_at);
    Ok(new)
}

/// A table has no end here, so each row is a line.
fn lines(context: &Context, rows: &[Row]) -> Result<(), HistoryError> {
    if rows.is_empty() {
        return Ok(());
    }
    context.print(|printer| match printer.format {
        Format::Json => json_lines(printer, rows),
        Format::Csv => rows.iter().try_for_each(|row| {
            let mut csv = csv::Writer::from_writer(&mut *printer.out);
            csv.write_record([
                &*row.record_name,
                &row.stored_at.to_string(),
                row.value.get(),
            ])?;
            csv.flush()
        }),
        Format::Table => rows.iter().try_for_each(|row| {
            let time = printer.clock.show(row.stored_at);
            let value = Cell::Json(value_of(row)).for_people(printer.clock);
            let key = Cell::Text(row.record_name.clone()).for_people(printer.clock);
            writeln!(printer.out, "{time}  {key}  {value}")
        }),
    })
}
