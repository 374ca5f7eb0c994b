//! `import`: a file's lines into rows.

use std::path::PathBuf;
use std::sync::Arc;

use aimdb_persistence_backend::MemoryBackend;

use crate::commands::context::Context;
use crate::error::HistoryError;
use crate::exchange::{self, Import, Imported};
use crate::location::{Location, OpenHistory, Purpose};
use crate::output::{Cell, Column};

/// What is imported.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file: .csv with a header, or .ndjson
    file: PathBuf,
    /// The key of each row, with columns in braces: 'temperature.{station}'
    #[arg(long, value_name = "TEMPLATE", default_value = "{record_name}")]
    key: String,
    /// The column of the time: dates, times, Unix seconds, milliseconds, microseconds or nanoseconds
    #[arg(long, value_name = "COLUMN", default_value = "stored_at")]
    time: String,
    /// The version of the type that the rows are of
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    /// The columns that become fields, with a comma between: 'celsius=temp,wind.gust=gust,note'; by default all but those of the key and the time
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    fields: Vec<String>,
    /// Only tell what would be stored
    #[arg(long)]
    dry_run: bool,
    /// Write the lines that cannot be rows into this file, each with the reason
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), HistoryError> {
    if !arguments.file.exists() {
        return Err(HistoryError::Usage(format!(
            "{}: there is no such file",
            arguments.file.display()
        )));
    }
    let history = match (arguments.dry_run, &context.location) {
        // A history that is not there yet is as good as an empty one.
        (true, Location::File(path)) if !path.exists() => {
            OpenHistory::of(Arc::new(MemoryBackend::new())).await?
        }
        (true, _) => context.open(Purpose::Read).await?,
        (false, _) => context.open(Purpose::Fill).await?,
    };
    import(context, arguments, &history).await
}

async fn import(
    context: &Context,
    arguments: &Arguments,
    history: &OpenHistory,
) -> Result<(), HistoryError> {
    let import = Import {
        file: arguments.file.clone(),
        key: arguments.key.clone(),
        time: arguments.time.clone(),
        version: arguments.version,
        fields: arguments.fields.clone(),
        dry_run: arguments.dry_run,
        rejects: arguments.rejects.clone(),
    };
    let progress = context.progress("importing", 0);
    let imported = exchange::import(history, &import, &context.clock, |at| {
        progress.at(at.lines);
    });
    let imported = imported.await?;
    drop(progress);
    print(context, arguments, &imported)?;
    match &imported.first_reject {
        None => Ok(()),
        Some((line, reason)) => Err(HistoryError::Unwell(format!(
            "{} lines cannot be rows; the first is line {line}: {reason}{}",
            imported.rejected,
            match &arguments.rejects {
                Some(path) => format!("; all are in {}", path.display()),
                None => "; --rejects FILE keeps them".to_owned(),
            }
        ))),
    }
}

fn print(
    context: &Context,
    arguments: &Arguments,
    imported: &Imported,
) -> Result<(), HistoryError> {
    let stored = match arguments.dry_run {
        true => "would be stored",
        false => "stored",
    };
    let columns = [
        Column::new("lines", "lines"),
        Column::new(stored, "rows"),
        Column::new("there already", "repeated"),
        Column::new("rejected", "rejected"),
    ];
    let cells = [
        imported.lines,
        imported.rows,
        imported.repeated,
        imported.rejected,
    ];
    let row = cells.map(Cell::Count).to_vec();
    context.print(|printer| printer.print(&columns, &[row]))
}
