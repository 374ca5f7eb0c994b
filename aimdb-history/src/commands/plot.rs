//! `plot`: a chart of a field.

use std::path::{Path, PathBuf};

use crate::chart::{self, Curve};
use crate::commands::context::Context;
use crate::commands::selecting::Selecting;
use crate::error::HistoryError;
use crate::location::Purpose;
use crate::output::{Cell, Column, Format};
use crate::written::NewFile;

/// What is drawn.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selecting: Selecting,
    /// The field, by its stored names: `celsius`, `wind.gust`; `value` where the value is no object
    field: String,
    /// Draw into this file, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Draw into this file, as PNG
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// So many lines high in the terminal
    #[arg(long, value_name = "LINES", default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..200))]
    height: u32,
    /// So many columns wide in the terminal; as wide as the terminal by default, 80 in a pipe
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(30..1000))]
    width: Option<u16>,
}

/// So many points that no curve looks different with more of them.
const POINTS: usize = 4_000;
/// More curves than that in one picture are no picture.
const MOST_CURVES: usize = 20;

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), HistoryError> {
    let history = context.open(Purpose::Read).await?;
    let selecting = &arguments.selecting;
    let fields = selecting.fields(&history).await?;
    let field = fields.find(&arguments.field)?;
    let question = selecting.question(context, &history).await?;
    let is_picture = arguments.svg.is_some() || arguments.png.is_some();
    let points = match is_picture || context.format != Format::Table {
        true => POINTS,
        false => usize::from(width(context, arguments)),
    };
    let curves = chart::curves(question.downsample_stored(&field, points).await?);
    if curves.is_empty() {
        let known = fields.iter().find(|(path, _)| *path == field.to_string());
        if known.is_some_and(|(_, known)| ["text", "bool"].contains(&known.kind)) {
            return Err(HistoryError::Usage(format!(
                "`{field}` holds no numbers; `stats` says how long it was what"
            )));
        }
        return Err(selecting.nothing_found(context, &history).await);
    }
    if curves.len() > MOST_CURVES {
        return Err(HistoryError::Usage(format!(
            "`{}` selects {} series, and {MOST_CURVES} curves are the most in one picture: choose a narrower pattern",
            selecting.pattern,
            curves.len()
        )));
    }
    let unit = fields.unit(&field.to_string());
    let title = match unit {
        Some(unit) => format!("{} {unit}", arguments.field),
        None => arguments.field.clone(),
    };
    if let Some(path) = &arguments.svg {
        let svg = chart::svg(&title, &curves, &context.clock).unwrap_or_default();
        save(context, path, svg.as_bytes())?;
    }
    if let Some(path) = &arguments.png {
        save(context, path, &png(&title, &curves, context)?)?;
    }
    match is_picture {
        true => Ok(()),
        false => print(context, arguments, &title, &curves),
    }
}

#[cfg(feature = "png")]
fn png(title: &str, curves: &[Curve], context: &Context) -> Result<Vec<u8>, HistoryError> {
    Ok(chart::png(title, curves, &context.clock).unwrap_or_default())
}

#[cfg(not(feature = "png"))]
fn png(_: &str, _: &[Curve], _: &Context) -> Result<Vec<u8>, HistoryError> {
    let reason =
        "--png needs the feature `png`, which this program was built without; --svg needs none";
    Err(HistoryError::Usage(reason.to_owned()))
}

fn save(context: &Context, path: &Path, content: &[u8]) -> Result<(), HistoryError> {
    let mut file = NewFile::create(path)?;
    file.write(content)?;
    file.complete()?;
    context.say(&format!("{} is written", path.display()));
    Ok(())
}

fn width(context: &Context, arguments: &Arguments) -> u16 {
    arguments.width.or(context.width).unwrap_or(80)
}

/// For programs, the points themselves.
fn print(
    context: &Context,
    arguments: &Arguments,
    title: &str,
    curves: &[Curve],
) -> Result<(), HistoryError> {
    let width = width(context, arguments);
    context.print(|printer| {
        if !printer.is_for_people() {
            let columns = ["record_name", "stored_at", "value"].map(|name| Column::new(name, name));
            let points = curves.iter().flat_map(|curve| {
                curve.points.iter().map(|(ms, number)| {
                    let name = Cell::Text(curve.record_name.clone());
                    vec![name, Cell::Time(*ms), Cell::Number(*number)]
                })
            });
            return printer.print(&columns, &points.collect::<Vec<_>>());
        }
        for (index, curve) in curves.iter().enumerate() {
            if index > 0 {
                writeln!(printer.out)?;
            }
            let key = Cell::Text(curve.record_name.clone()).for_people(printer.clock);
            writeln!(printer.out, "{key}  {title}")?;
            let drawn = chart::draw(curve, width.into(), arguments.height, printer.clock);
            writeln!(printer.out, "{drawn}")?;
        }
        Ok(())
    })
}
