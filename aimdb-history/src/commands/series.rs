//! `series`: what is stored.

use aimdb_persistence_backend::Retention;

use crate::commands::context::{Context, no_series};
use crate::error::HistoryError;
use crate::location::Purpose;
use crate::output::{Cell, Column};
use crate::seen::{self, SeriesOverview};

/// Which series are listed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which series: a key, or a pattern such as `temperature.*`
    #[arg(default_value = "#")]
    pattern: String,
    /// Count the rows and their bytes; this takes a look at every row
    #[arg(long)]
    count: bool,
    /// Only series without a row for so long, such as 1h
    #[arg(long, value_name = "LENGTH")]
    silent: Option<String>,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), HistoryError> {
    let silent_since = match &arguments.silent {
        None => None,
        Some(length) => {
            let ago = format!("-{length}");
            let since = context.clock.parse(&ago, crate::question::Bound::Start);
            Some(since.map_err(|reason| HistoryError::Usage(format!("--silent: {reason}")))?)
        }
    };
    let history = context.open(Purpose::Read).await?;
    let mut series = seen::series(&history, &arguments.pattern, arguments.count).await?;
    if series.is_empty() {
        let all = seen::series(&history, "#", false).await?;
        return Err(HistoryError::NothingFound(match all.is_empty() {
            true => format!("{}: there are no rows yet", context.location),
            false => no_series(&arguments.pattern, all.iter().map(|s| &*s.record_name)),
        }));
    }
    if let Some(since) = silent_since {
        series.retain(|series| series.last_ms < since);
        if series.is_empty() {
            context.say("No series is silent.");
            return Ok(());
        }
    }
    let rows: Vec<_> = series
        .iter()
        .map(|series| cells(context, arguments, series))
        .collect();
    context.print(|printer| printer.print(&columns(arguments), &rows))
}

fn columns(arguments: &Arguments) -> Vec<Column> {
    let mut columns = vec![
        Column::new("series", "record_name"),
        Column::new("template", "template"),
        Column::new("type", "type_name"),
        Column::new("unit", "units"),
        Column::new("first", "first_ms"),
        Column::new("last", "last_ms"),
        Column::new("kept for", "retention_ms"),
    ];
    if arguments.count {
        columns.extend([
            Column::new("rows", "rows"),
            Column::new("rows/h", "rows_per_hour"),
            Column::new("JSON", "bytes"),
        ]);
    }
    if arguments.silent.is_some() {
        columns.push(Column::new("silent for", "silent_ms"));
    }
    columns
}

fn cells(context: &Context, arguments: &Arguments, series: &SeriesOverview) -> Vec<Cell> {
    let text = |text: &Option<String>| Cell::of(text.clone(), Cell::Text);
    let mut cells = vec![
        Cell::Text(series.record_name.clone()),
        text(&series.template),
        text(&series.type_name),
        match series.units.is_empty() {
            true => Cell::Nothing,
            false => Cell::Text(series.units.join(", ")),
        },
        Cell::Time(series.first_ms),
        Cell::Time(series.last_ms),
        match series.retention {
            None => Cell::Nothing,
            Some(Retention::Milliseconds(ms)) => Cell::Length(ms),
            Some(_) => Cell::Text("ever".to_owned()),
        },
    ];
    if arguments.count {
        let counted = series.counted.unwrap_or_default();
        cells.extend([
            Cell::Count(counted.rows),
            Cell::of(series.rows_per_hour(), Cell::Number),
            Cell::Bytes(counted.bytes),
        ]);
    }
    if arguments.silent.is_some() {
        let silent_ms = context.clock.now_ms.saturating_sub(series.last_ms);
        cells.push(Cell::Length(silent_ms));
    }
    cells
}
