//! `sql`: read-only SQL.

use std::io::{self, Read};

use crate::commands::context::Context;
use crate::error::HistoryError;
use crate::output::{Cell, Column};
use crate::sql::SqlHistory;

/// What is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A statement that reads; `-` reads it from the standard input; without one, the views are listed
    statement: Option<String>,
    /// So many rows at most
    #[arg(long, value_name = "ROWS", default_value_t = 10_000)]
    limit: usize,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), HistoryError> {
    let path = context.location.file("sql")?;
    let mut history = SqlHistory::open(path).await?;
    let statement = match arguments.statement.as_deref() {
        None => return list(context, &history),
        Some("-") => {
            let mut statement = String::new();
            io::stdin().read_to_string(&mut statement)?;
            statement
        }
        Some(statement) => statement.to_owned(),
    };
    let answer = history.ask(&statement, arguments.limit, context.interrupted())?;
    let columns: Vec<Column> = answer
        .columns
        .iter()
        .map(|name| Column::new(name.clone(), name.clone()))
        .collect();
    let rows: Vec<Vec<Cell>> = answer
        .rows
        .into_iter()
        .map(|row| row.into_iter().map(Cell::Json).collect())
        .collect();
    context.print(|printer| printer.print(&columns, &rows))?;
    if answer.has_more {
        context.say(&format!(
            "There are more than {} rows: --limit",
            arguments.limit
        ));
    }
    Ok(())
}

fn list(context: &Context, history: &SqlHistory) -> Result<(), HistoryError> {
    let columns = ["view", "columns"].map(|name| Column::new(name, name));
    let views = history.views().iter();
    let rows: Vec<Vec<Cell>> = views
        .map(|(view, columns)| vec![Cell::Text(view.clone()), Cell::Text(columns.join(", "))])
        .collect();
    context.print(|printer| printer.print(&columns, &rows))
}
