//! What the command line asks for.

use std::path::PathBuf;

use aimdb_persistence_examples::files;
use lexopt::{Arg, Parser, ValueExt};

pub(crate) const HELP: &str = "\
Records a year of hourly temperatures of Seattle and San Francisco through AimDB into
a SQLite file, and asks them back. A second run finds the history of the first.

Usage: cargo run --example weather_station -- [OPTIONS]

Options:
  --db PATH              The file of the history [default: weather_station.db in the target folder]
  --days-per-second N    How fast the year is replayed [default: 100]
  -h, --help             This text";

/// What to do.
pub(crate) enum Command {
    Help,
    Replay(Arguments),
}

/// How to replay the year.
pub(crate) struct Arguments {
    pub(crate) db: PathBuf,
    pub(crate) days_per_second: u32,
}

/// # Errors
/// Names the argument that is unknown, incomplete or malformed.
pub(crate) fn from_command_line() -> Result<Command, lexopt::Error> {
    let mut parser = Parser::from_env();
    let mut db = None;
    let mut days_per_second = 100;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("db") => db = Some(PathBuf::from(parser.value()?)),
            Arg::Long("days-per-second") => {
                days_per_second = parser.value()?.parse_with(positive)?;
            }
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            unknown => return Err(unknown.unexpected()),
        }
    }
    let db = match db {
        Some(path) => path,
        None => files::in_target_folder("weather_station.db")
            .map_err(|error| format!("no place for the history: {error}; use --db PATH"))?,
    };
    Ok(Command::Replay(Arguments {
        db,
        days_per_second,
    }))
}

fn positive(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is not a whole number above 0")),
    }
}
