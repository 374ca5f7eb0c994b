//! `export`: rows into a file.

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::selecting::Selecting;
use crate::error::HistoryError;
use crate::exchange::{self, ExportProgress};
use crate::location::Purpose;
use crate::output::Progress;

/// What is exported.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which series: a key, or a pattern such as `temperature.*` or `#` for all
    pattern: String,
    /// The file, whose ending says its kind: .csv, .ndjson or .parquet
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Rows at or after this time: 2026-11-28, 2026-11-28T12:00, -24h, now, Unix ms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Rows at or before this time; a date means all of that day
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Rows for which this holds: 'celsius > 20 and not station = "sf"'
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), HistoryError> {
    let selecting = Selecting {
        pattern: arguments.pattern.clone(),
        from: arguments.from.clone(),
        to: arguments.until.clone(),
        condition: arguments.condition.clone(),
    };
    let history = context.open(Purpose::Read).await?;
    let selection = selecting.selection(context, &history).await?;
    let looking = context.progress("looking for fields", 0);
    let mut writing: Option<Progress> = None;
    let on_progress = |progress: ExportProgress| match progress {
        ExportProgress::Looking(rows) => looking.at(rows),
        ExportProgress::Writing(rows, total) => {
            let bar = writing.get_or_insert_with(|| context.progress("writing", total));
            bar.at(rows);
        }
    };
    let exported = exchange::export(&history, &selection, &arguments.to, on_progress).await;
    drop((looking, writing));
    match exported {
        Ok(exported) => {
            context.say(&format!(
                "{} rows are in {}",
                indicatif::HumanCount(exported.rows),
                arguments.to.display()
            ));
            Ok(())
        }
        Err(HistoryError::NothingFound(_)) => Err(selecting.nothing_found(context, &history).await),
        Err(error) => Err(error),
    }
}
