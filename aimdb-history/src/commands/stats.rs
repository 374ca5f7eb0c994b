//! `stats`: what a field says over many rows.

use aimdb_persistence::History as Question;
use aimdb_persistence::answers::{Bucket, Summary};
use aimdb_persistence::question::{Calendar, StoredField};
use aimdb_persistence_duration::{Purpose as LengthOf, parse_ms};
use serde_json::Value;

use crate::commands::context::Context;
use crate::commands::selecting::Selecting;
use crate::error::HistoryError;
use crate::location::Purpose;
use crate::output::{Cell, Column};

/// What is summed up.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selecting: Selecting,
    /// The field, by its stored names: `celsius`, `wind.gust`; `value` where the value is no object
    field: String,
    /// One line for each stretch of time: 1h, 15m, or `day`, `week`, `month`, `year` of the calendar
    #[arg(long, value_name = "LENGTH")]
    every: Option<String>,
    /// All series together
    #[arg(long)]
    combined: bool,
    /// How long each value of the field was in force, instead of numbers; what texts and truth values are answered with anyway
    #[arg(long, conflicts_with_all = ["every", "combined"])]
    states: bool,
}

const PERCENTILES: [f64; 3] = [5.0, 50.0, 95.0];

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), HistoryError> {
    let history = context.open(Purpose::Read).await?;
    let selecting = &arguments.selecting;
    let fields = selecting.fields(&history).await?;
    let field = fields.find(&arguments.field)?;
    let question = selecting.question(context, &history).await?;
    let path = field.to_string();
    let kind = fields.iter().find(|(known, _)| *known == path);
    let has_states = kind.is_some_and(|(_, known)| ["bool", "text"].contains(&known.kind));
    let unit = fields.unit(&path).map(str::to_owned);
    let found = match &arguments.every {
        _ if arguments.states || (has_states && arguments.every.is_none()) => {
            states(context, question, &field).await?
        }
        Some(every) => buckets(context, arguments, question, &field, every).await?,
        None => summaries(context, arguments, question, &field, unit.as_deref()).await?,
    };
    match found {
        true => Ok(()),
        false => Err(selecting.nothing_found(context, &history).await),
    }
}

async fn states(
    context: &Context,
    question: Question<Value>,
    field: &StoredField,
) -> Result<bool, HistoryError> {
    let states = question.time_in_stored_states(field).await?;
    let columns = [
        Column::new("series", "record_name"),
        Column::new("state", "state"),
        Column::new("for", "total_ms"),
        Column::new("share", "share"),
        Column::new("times", "times"),
    ];
    let rows: Vec<Vec<Cell>> = states
        .iter()
        .map(|state| {
            let share = match state.known_ms {
                0 => Cell::Nothing,
                known_ms => Cell::Number(state.total_ms as f64 / known_ms as f64),
            };
            vec![
                Cell::Text(state.record_name.clone()),
                Cell::Json(state.state.clone()),
                Cell::Length(state.total_ms),
                share,
                Cell::Count(state.times),
            ]
        })
        .collect();
    context.print(|printer| printer.print(&columns, &rows))?;
    Ok(!rows.is_empty())
}

async fn summaries(
    context: &Context,
    arguments: &Arguments,
    question: Question<Value>,
    field: &StoredField,
    unit: Option<&str>,
) -> Result<bool, HistoryError> {
    let aggregate = question.aggregate_stored(field).percentiles(&PERCENTILES);
    let summaries: Vec<(String, Summary)> = match arguments.combined {
        true => {
            let all = arguments.selecting.pattern.clone();
            vec![(all, aggregate.combined().await?)]
        }
        false => {
            let series = aggregate.per_series().await?.into_iter();
            series.map(|s| (s.record_name, s.summary)).collect()
        }
    };
    let with_unit = |heading: &str| match unit {
        Some(unit) => format!("{heading} {unit}"),
        None => heading.to_owned(),
    };
    let mut columns = vec![Column::new("series", "record_name")];
    columns.extend(FIGURES.iter().map(|(name, has_unit, _)| {
        let heading = match has_unit {
            true => with_unit(name),
            false => (*name).to_owned(),
        };
        Column::new(heading, name.replace(' ', "_"))
    }));
    let rows: Vec<Vec<Cell>> = summaries
        .iter()
        .filter(|(_, summary)| summary.count() + summary.without_value() > 0)
        .map(|(record_name, summary)| {
            let mut cells = vec![Cell::Text(record_name.clone())];
            cells.extend(FIGURES.iter().map(|(_, _, figure)| figure(summary)));
            cells
        })
        .collect();
    if rows.is_empty() {
        return Ok(false);
    }
    context.print(|printer| printer.print(&columns, &rows))?;
    Ok(true)
}

type Figure = (&'static str, bool, fn(&Summary) -> Cell);

/// What is told of a field, and whether it has the field's unit.
const FIGURES: [Figure; 13] = [
    ("count", false, |s| Cell::Count(s.count())),
    ("min", true, |s| Cell::of(s.min(), Cell::Number)),
    ("mean", true, |s| Cell::of(s.mean(), Cell::Number)),
    ("max", true, |s| Cell::of(s.max(), Cell::Number)),
    ("deviation", true, |s| {
        Cell::of(s.standard_deviation(), Cell::Number)
    }),
    ("p5", true, |s| percentile(s, PERCENTILES[0])),
    ("p50", true, |s| percentile(s, PERCENTILES[1])),
    ("p95", true, |s| percentile(s, PERCENTILES[2])),
    ("first", true, |s| {
        Cell::of(s.first(), |x| Cell::Number(x.value))
    }),
    ("last", true, |s| {
        Cell::of(s.last(), |x| Cell::Number(x.value))
    }),
    ("increase", true, |s| Cell::of(s.increase(), Cell::Number)),
    ("step mean", true, |s| Cell::of(s.step_mean(), Cell::Number)),
    ("known", false, |s| Cell::Length(s.known_ms())),
];

fn percentile(summary: &Summary, percent: f64) -> Cell {
    // All of them were asked for; of none there is none.
    Cell::of(summary.percentile(percent).ok().flatten(), Cell::Number)
}

async fn buckets(
    context: &Context,
    arguments: &Arguments,
    question: Question<Value>,
    field: &StoredField,
    every: &str,
) -> Result<bool, HistoryError> {
    let aggregate = question.aggregate_stored(field);
    let zone = context.clock.zone.clone();
    let calendar = match every {
        "day" => Some(Calendar::Day),
        "week" => Some(Calendar::Week),
        "month" => Some(Calendar::Month),
        "year" => Some(Calendar::Year),
        _ => None,
    };
    let buckets = match calendar {
        Some(unit) => aggregate.every_calendar(unit, zone),
        None => {
            parse_ms(every, LengthOf::BucketWidth).map_err(|error| {
                HistoryError::Usage(format!(
                    "--every: {error}; or one of `day`, `week`, `month`, `year`"
                ))
            })?;
            aggregate.every(every).time_zone(zone)
        }
    };
    let buckets: Vec<Bucket> = match arguments.combined {
        true => buckets.combined().await?,
        false => buckets.per_series().await?,
    };
    let columns = [
        Column::new("series", "record_name"),
        Column::new("from", "start_ms"),
        Column::new("count", "count"),
        Column::new("min", "min"),
        Column::new("mean", "mean"),
        Column::new("max", "max"),
        Column::new("increase", "increase"),
    ];
    let rows: Vec<Vec<Cell>> = buckets
        .iter()
        .map(
            |Bucket {
                 record_name,
                 start_ms,
                 summary,
                 ..
             }| {
                let series = record_name.as_ref().unwrap_or(&arguments.selecting.pattern);
                vec![
                    Cell::Text(series.clone()),
                    Cell::Time(*start_ms),
                    Cell::Count(summary.count()),
                    Cell::of(summary.min(), Cell::Number),
                    Cell::of(summary.mean(), Cell::Number),
                    Cell::of(summary.max(), Cell::Number),
                    Cell::of(summary.increase(), Cell::Number),
                ]
            },
        )
        .collect();
    if rows.is_empty() {
        return Ok(false);
    }
    context.print(|printer| printer.print(&columns, &rows))?;
    Ok(true)
}
