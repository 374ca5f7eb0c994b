//! The command line: from arguments to an exit code.

mod interruption;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use futures_lite::future;
use jiff::tz::TimeZone;

use crate::command_line::interruption::Interruption;
use crate::commands::context::Context;
use crate::commands::{
    changing, copy, doctor, export, import, keeping, plot, series, show, sql, stats,
};
use crate::error::HistoryError;
use crate::location::Location;
use crate::output::Format;
use crate::question::Clock;

/// Sees, moves and repairs an AimDB history.
#[derive(Debug, Parser)]
#[command(
    name = "aimdb-history",
    version,
    about,
    after_help = AFTER_HELP,
    max_term_width = 100
)]
struct Cli {
    /// The history: a SQLite file, or postgresql://…
    #[arg(required_unless_present = "completions")]
    history: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
    /// One JSON object in each line, times in Unix milliseconds
    #[arg(long, global = true, conflicts_with = "csv")]
    json: bool,
    /// CSV with a header, times in Unix milliseconds
    #[arg(long, global = true)]
    csv: bool,
    /// The time zone that times are read and shown in, such as Europe/Vienna; the system's by default
    #[arg(long, global = true, value_name = "ZONE")]
    tz: Option<String>,
    /// Tell nothing but the answer, and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Print a completion script for this shell: bash, elvish, fish, powershell, zsh
    #[arg(long, value_name = "SHELL", exclusive = true)]
    completions: Option<Shell>,
}

const AFTER_HELP: &str = "\
Nothing is changed unless the command says so, and a program may go on recording meanwhile.

Exit codes: 0 done, 1 failed, 2 the command makes no sense, 3 nothing found, 4 done and something is wrong,
5 not confirmed, 130 interrupted.

Examples:
  aimdb-history history.db series
  aimdb-history history.db show 'temperature.*' --from -24h --where 'celsius > 20'
  aimdb-history history.db stats temperature.sf celsius --every month";

#[derive(Debug, Subcommand)]
enum Command {
    /// List what is stored
    #[command(after_help = "\
Examples:
  aimdb-history history.db series
  aimdb-history history.db series 'temperature.*' --count
  aimdb-history history.db series --silent 1h")]
    Series(series::Arguments),
    /// Show rows, the newest first
    #[command(after_help = "\
Examples:
  aimdb-history history.db show temperature.sf --limit 10
  aimdb-history history.db show 'temperature.*' --from 2026-11-28 --to 2026-11-28 --where 'celsius > 20'
  aimdb-history history.db show '#' --follow")]
    Show(show::Arguments),
    /// Sum up a field: count, extremes, means, percentiles, increase, time in states
    #[command(after_help = "\
Examples:
  aimdb-history history.db stats 'temperature.*' celsius
  aimdb-history history.db stats meter.main kwh --every month --tz Europe/Vienna
  aimdb-history history.db stats door.front state --from -7d")]
    Stats(stats::Arguments),
    /// Draw a field: in the terminal, as SVG, or as PNG
    #[command(after_help = "\
Examples:
  aimdb-history history.db plot temperature.sf celsius
  aimdb-history history.db plot 'temperature.*' celsius --from 2010-07-01 --to 2010-07-31 --svg july.svg")]
    Plot(plot::Arguments),
    /// Write rows into a file: CSV, NDJSON or Parquet
    #[command(after_help = "\
Examples:
  aimdb-history history.db export '#' --to history.ndjson
  aimdb-history history.db export 'temperature.*' --from 2026-11-01 --until 2026-11-30 --to november.csv")]
    Export(export::Arguments),
    /// Store the lines of a CSV or NDJSON file; safe to repeat
    #[command(after_help = "\
Examples:
  aimdb-history history.db import history.ndjson
  aimdb-history history.db import sf.csv --key temperature.sf --time date --fields celsius=temp --dry-run")]
    Import(import::Arguments),
    /// Copy series into another history, and verify the copy; goes on where it was interrupted
    #[command(after_help = "\
Examples:
  aimdb-history history.db copy new.db
  aimdb-history history.db copy new.db 'temperature.*' --dry-run")]
    Copy(copy::Arguments),
    /// Copy the file while a program may go on recording
    #[command(after_help = "\
Examples:
  aimdb-history history.db backup /backups/monday.db
  aimdb-history history.db backup /backups/history.db --keep 7")]
    Backup(keeping::BackupArguments),
    /// Look whether the structure of the file is sound; this reads every page
    #[command(after_help = "\
Example:
  aimdb-history history.db check || echo 'see to it'")]
    Check,
    /// Save what can be read of a damaged file into a new one
    #[command(after_help = "\
Example:
  aimdb-history history.db.corrupt-20261125T120000Z salvage saved.db")]
    Salvage(keeping::SalvageArguments),
    /// Give unused room back to the file system
    #[command(after_help = "\
Example:
  aimdb-history history.db compact")]
    Compact,
    /// Pack rows into columns: they take a few bytes each, and plain SQL does not see them any more
    #[command(after_help = "\
Examples:
  aimdb-history history.db pack
  aimdb-history history.db pack 'temperature.*'")]
    Pack(keeping::PackArguments),
    /// Put packed rows back among the others, where plain SQL sees them
    #[command(after_help = "\
Example:
  aimdb-history history.db unpack")]
    Unpack(keeping::PackArguments),
    /// Delete rows, after showing which
    #[command(after_help = "\
Examples:
  aimdb-history history.db delete temperature.attic --to 2025-12-31
  aimdb-history history.db delete 'test.#' --yes")]
    Delete(changing::DeleteArguments),
    /// Give a series another key, after showing what it is
    #[command(after_help = "\
Example:
  aimdb-history history.db rename temperature.cellar temperature.cellar-2025")]
    Rename(changing::RenameArguments),
    /// Ask in SQL, read-only: the view `history`, and one for each type with its fields as columns
    #[command(after_help = "\
Examples:
  aimdb-history history.db sql
  aimdb-history history.db sql 'SELECT record_name, max(celsius) FROM temperature GROUP BY 1'")]
    Sql(sql::Arguments),
    /// Tell what is odd, and what to do about it
    #[command(after_help = "\
Example:
  aimdb-history history.db doctor --json")]
    Doctor,
}

/// Runs the program with these arguments, the first of which is its own name, and prints to the standard output and error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Its reader may have gone.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let done = match cli.completions {
        Some(shell) => completions(shell),
        None => execute(&cli),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_closed_pipe() {
                let _ = writeln!(io::stderr(), "aimdb-history: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(cli: &Cli) -> Result<(), HistoryError> {
    let zone = match &cli.tz {
        None => TimeZone::system(),
        Some(name) => {
            TimeZone::get(name).map_err(|error| HistoryError::Usage(format!("--tz: {error}")))?
        }
    };
    let format = match (cli.json, cli.csv) {
        (true, _) => Format::Json,
        (_, true) => Format::Csv,
        _ => Format::Table,
    };
    let (Some(history), Some(command)) = (&cli.history, &cli.command) else {
        return Err(HistoryError::Usage(
            "a history and a command are needed, such as `aimdb-history history.db series`; --help lists them all"
                .to_owned(),
        ));
    };
    let location = Location::of(history);
    let interruption = Interruption::listen()?;
    let context = Context::new(location, Clock::now(zone), format)
        .quiet(cli.quiet)
        .interrupted_by(interruption.flag());
    future::block_on(async {
        let done = future::or(interruption.comes(), run_command(&context, command)).await;
        // A file that cannot be closed after the command failed is not what the user wants to hear of.
        let closed = context.close().await;
        done.and(closed)
    })
}

fn completions(shell: Shell) -> Result<(), HistoryError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "aimdb-history", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

async fn run_command(context: &Context, command: &Command) -> Result<(), HistoryError> {
    match command {
        Command::Series(arguments) => series::run(context, arguments).await,
        Command::Show(arguments) => show::run(context, arguments).await,
        Command::Stats(arguments) => stats::run(context, arguments).await,
        Command::Plot(arguments) => plot::run(context, arguments).await,
        Command::Export(arguments) => export::run(context, arguments).await,
        Command::Import(arguments) => import::run(context, arguments).await,
        Command::Copy(arguments) => copy::run(context, arguments).await,
        Command::Backup(arguments) => keeping::backup(context, arguments).await,
        Command::Check => keeping::check(context).await,
        Command::Salvage(arguments) => keeping::salvage(context, arguments),
        Command::Compact => keeping::compact(context).await,
        Command::Pack(arguments) => keeping::pack(context, arguments).await,
        Command::Unpack(arguments) => keeping::unpack(context, arguments).await,
        Command::Delete(arguments) => changing::delete(context, arguments).await,
        Command::Rename(arguments) => changing::rename(context, arguments).await,
        Command::Sql(arguments) => sql::run(context, arguments).await,
        Command::Doctor => doctor::run(context).await,
    }
}
