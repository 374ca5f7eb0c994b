//! `delete` and `rename`: they show what would happen, and ask.

use aimdb_persistence::Ask;
use aimdb_persistence::answers::SeriesExtent;

use crate::commands::context::Context;
use crate::commands::selecting::Selecting;
use crate::error::HistoryError;
use crate::location::Purpose;
use crate::output::{Cell, Column};

/// Which rows are deleted.
#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArguments {
    /// Which series: a key, or a pattern such as `temperature.*`
    pattern: String,
    /// Rows at or after this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Rows at or before this time; a date means all of that day
    #[arg(
        long,
        visible_alias = "until",
        value_name = "TIME",
        allow_hyphen_values = true
    )]
    to: Option<String>,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn delete(
    context: &Context,
    arguments: &DeleteArguments,
) -> Result<(), HistoryError> {
    let selecting = Selecting {
        pattern: arguments.pattern.clone(),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        condition: None,
    };
    // Nothing is opened for writing before the answer is yes.
    let history = context.open(Purpose::Read).await?;
    let question = selecting.question(context, &history).await?;
    let would_delete = question.would_delete().await?;
    if would_delete.is_empty() {
        return Err(selecting.nothing_found(context, &history).await);
    }
    print(context, &would_delete, "to be deleted")?;
    let rows: u64 = would_delete.iter().filter_map(|series| series.rows).sum();
    let rows = indicatif::HumanCount(rows);
    context.confirm(arguments.yes, &format!("Delete these {rows} rows?"))?;
    context.close().await?;

    let history = context.open(Purpose::Change).await?;
    let question = selecting.question(context, &history).await?;
    let deleted = question.delete().await?;
    let rows: u64 = deleted.iter().map(|deleted| deleted.rows).sum();
    context.say(&format!("{} rows are deleted", indicatif::HumanCount(rows)));
    Ok(())
}

fn print(context: &Context, series: &[SeriesExtent], what: &str) -> Result<(), HistoryError> {
    let columns = [
        Column::new("series", "record_name"),
        Column::new(what, "rows"),
        Column::new("first", "first_ms"),
        Column::new("last", "last_ms"),
    ];
    let rows: Vec<Vec<Cell>> = series
        .iter()
        .map(|series| {
            vec![
                Cell::Text(series.record_name.clone()),
                Cell::of(series.rows, Cell::Count),
                Cell::Time(series.first_ms),
                Cell::Time(series.last_ms),
            ]
        })
        .collect();
    context.print(|printer| printer.print(&columns, &rows))
}

/// Which series gets which name.
#[derive(Debug, clap::Args)]
pub(crate) struct RenameArguments {
    /// The key that the series has
    from: String,
    /// The key that it gets, under which there must be no rows
    to: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn rename(
    context: &Context,
    arguments: &RenameArguments,
) -> Result<(), HistoryError> {
    let (from, to) = (&arguments.from, &arguments.to);
    let history = context.open(Purpose::Read).await?;
    let extent = history.archive.would_rename_series(from, to).await?;
    print(context, &[extent], "to be renamed")?;
    context.confirm(arguments.yes, &format!("Rename `{from}` to `{to}`?"))?;
    context.close().await?;

    let history = context.open(Purpose::Change).await?;
    history.archive.rename_series(from, to).await?;
    context.say(&format!("`{from}` is `{to}` from now on"));
    Ok(())
}
