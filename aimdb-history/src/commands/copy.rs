//! `copy`: the verified move.

use std::sync::Arc;

use aimdb_persistence_backend::MemoryBackend;
use indicatif::{BinaryBytes, HumanCount};

use crate::commands::context::Context;
use crate::error::HistoryError;
use crate::location::{Location, OpenHistory, Purpose};
use crate::output::{Cell, Column, Progress};
use crate::transfer::{Others, Plan, TransferProgress, plan, transfer};

/// What is copied, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The other history: a SQLite file, made if it is missing, or postgresql://…
    to: String,
    /// Which series: a key, or a pattern such as `temperature.*`
    #[arg(default_value = "#")]
    pattern: String,
    /// Keep the rows of both where the target has rows of these series from elsewhere
    #[arg(long)]
    merge: bool,
    /// Only tell what would be copied, and what the target cannot keep
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), HistoryError> {
    let to = Location::of(&*arguments.to);
    refuse_itself(&context.location, &to)?;
    let source = context.open(Purpose::Read).await?;
    if arguments.dry_run {
        let target = match &to {
            // What is not there yet is as good as empty.
            Location::File(path) if !path.exists() => {
                OpenHistory::of(Arc::new(MemoryBackend::new())).await?
            }
            to => context.open_at(to, Purpose::Read).await?,
        };
        let progress = context.progress("comparing", 0);
        let planned = plan(&source, &target, &arguments.pattern, |name| {
            progress.say(name)
        });
        let planned = planned.await?;
        drop(progress);
        return print_plan(context, &planned);
    }
    let target = context.open_at(&to, Purpose::Fill).await?;
    let others = match arguments.merge {
        true => Others::Merge,
        false => Others::Refuse,
    };
    let mut bar: Option<Progress> = None;
    let pattern = &arguments.pattern;
    let moved = transfer(&source, &target, pattern, others, |progress| {
        show(context, &mut bar, progress);
    });
    let moved = moved.await?;
    drop(bar);
    for lost in &moved.lost {
        context.say(&format!("The target does not keep {lost}."));
    }
    let columns = [
        Column::new("series", "series"),
        Column::new("rows copied", "rows"),
        Column::new("JSON", "bytes"),
        Column::new("rows verified", "verified"),
    ];
    let row = vec![
        Cell::Count(moved.series),
        Cell::Count(moved.rows),
        Cell::Bytes(moved.bytes),
        Cell::Count(moved.verified),
    ];
    context.print(|printer| printer.print(&columns, &[row]))
}

fn refuse_itself(from: &Location, to: &Location) -> Result<(), HistoryError> {
    let is_same = match (from, to) {
        (Location::File(from), Location::File(to)) => {
            let place = |path: &std::path::PathBuf| std::fs::canonicalize(path).ok();
            place(from).is_some_and(|from| Some(from) == place(to))
        }
        (from, to) => from == to,
    };
    match is_same {
        true => Err(HistoryError::Usage(
            "the source and the target are the same history".to_owned(),
        )),
        false => Ok(()),
    }
}

fn show(context: &Context, bar: &mut Option<Progress>, progress: TransferProgress) {
    match progress {
        TransferProgress::Comparing(record_name) => {
            let bar = bar.get_or_insert_with(|| context.progress("comparing", 0));
            bar.say(&record_name);
        }
        TransferProgress::Copying {
            record_name,
            rows,
            of_rows,
            bytes,
        } => {
            if bar.as_ref().is_none_or(|bar| !bar.is_of(of_rows)) {
                *bar = Some(context.progress("copying", of_rows));
            }
            if let Some(bar) = bar {
                bar.at(rows);
                bar.say(&format!("{} {record_name}", BinaryBytes(bytes)));
            }
        }
        TransferProgress::Verifying => *bar = Some(context.progress("verifying", 0)),
    }
}

fn print_plan(context: &Context, plan: &Plan) -> Result<(), HistoryError> {
    let columns = [
        Column::new("series", "record_name"),
        Column::new("rows", "rows"),
        Column::new("to be copied", "missing"),
        Column::new("from elsewhere in the target", "foreign"),
    ];
    let rows: Vec<Vec<Cell>> = plan
        .series
        .iter()
        .map(|series| {
            vec![
                Cell::Text(series.record_name.clone()),
                Cell::Count(series.rows),
                Cell::Count(series.missing),
                Cell::Count(series.foreign),
            ]
        })
        .collect();
    context.print(|printer| printer.print(&columns, &rows))?;
    for lost in &plan.lost {
        context.say(&format!("The target would not keep {lost}."));
    }
    context.say(&format!(
        "{} rows would be copied.",
        HumanCount(plan.missing())
    ));
    Ok(())
}
