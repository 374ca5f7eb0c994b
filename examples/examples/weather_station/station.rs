//! The station: what it measures, and one run of it from the file's history to the report.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, History, Persist, answers::Gaps, question::Calendar,
};
use aimdb_persistence_examples::readings::{STATIONS, date_of};
use aimdb_persistence_sqlite::SqliteBackend;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::arguments::{self, Arguments, Command};
use crate::database::{self, Database};
use crate::replay::{self, Ending, Replay};
use crate::report;

/// The readings are from 2010: any retention shorter than "forever" would sweep them away at once.
///
/// The replay produces a day of readings at a time, thousands of times faster than a thermometer. A ring that holds
/// the whole year makes sure that none is overwritten, however late the recorder gets its turn on a busy machine.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "temperature.{station}",
    retention = "forever",
    buffer = "ring(16384)"
)]
pub(crate) struct Temperature {
    /// A query over all stations returns values alone, so each says where it was measured.
    pub(crate) station: String,
    pub(crate) celsius: f64,
    #[persist(timestamp)]
    pub(crate) at: u64, // Unix milliseconds
}

/// How long a disk may take to store what is still on its way when the replay is interrupted.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// The whole program.
pub(crate) async fn main() -> ExitCode {
    let arguments = match arguments::from_command_line() {
        Ok(Command::Replay(arguments)) => arguments,
        Ok(Command::Help) => {
            println!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("weather_station: {error}\n\n{}", arguments::HELP);
            return ExitCode::from(2);
        }
    };
    match run(&arguments, &mut io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("weather_station: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let backend = Arc::new(SqliteBackend::new(&arguments.db)?);
    let mut builder = database::builder()?.with_persistence(backend.clone(), Duration::MAX);
    for station in &STATIONS {
        Temperature::series(station.name).register(&mut builder);
    }
    let db = database::start(builder).await?;

    writeln!(out, "History: {}", arguments.db.display())?;
    let ending = replay_the_rest(&db, arguments.days_per_second, out).await?;
    if let Ending::Complete = ending {
        db.flush_persistence().await?;
        let total = db.persistence_stats()?.total;
        writeln!(out, "{}", report::losses(&total))?;
        write_history(&db, out).await?;
    }

    let closed = db.close_persistence(CLOSE_DEADLINE).await?;
    // What is left is one file, to be copied as it is, without SQLite's log beside it.
    backend.close().await?;
    if let Some(error) = closed.error {
        return Err(format!("closed before everything was stored: {error}").into());
    }
    if let Ending::Interrupted = ending {
        writeln!(out, "{}", report::losses(&closed.stats.total))?;
        writeln!(
            out,
            "Interrupted. The history is closed, and the next run goes on."
        )?;
    }
    Ok(())
}

async fn replay_the_rest(
    db: &Database,
    days_per_second: u32,
    out: &mut impl Write,
) -> Result<Ending, Box<dyn Error>> {
    let replays = unfinished_replays(db, out).await?;
    if replays.is_empty() {
        writeln!(out, "The year is complete: nothing is recorded again.")?;
        return Ok(Ending::Complete);
    }
    writeln!(
        out,
        "Replaying the year. Ctrl-C stops it, and the next run goes on."
    )?;
    replay::run(db, replays, days_per_second).await
}

/// What is left to replay of each station: the readings after the newest that the file holds.
async fn unfinished_replays(
    db: &Database,
    out: &mut impl Write,
) -> Result<Vec<Replay>, Box<dyn Error>> {
    let mut replays = Vec::new();
    for station in &STATIONS {
        let series = Temperature::series(station.name);
        let readings = station.readings()?;
        let mut stored = 0;
        match series.query_latest(db, 1).await?.first() {
            None => writeln!(out, "  {:<20} nothing stored yet", series.key())?,
            Some(newest) => {
                stored = readings.partition_point(|reading| reading.at <= newest.at);
                writeln!(
                    out,
                    "  {:<20} the history is still there, up to {}",
                    series.key(),
                    date_of(newest.at)
                )?;
            }
        }
        if stored < readings.len() {
            replays.push(Replay {
                station,
                series,
                readings,
                stored,
            });
        }
    }
    Ok(replays)
}

/// Everything here is computed where the rows are: no query brings a year of them into memory.
async fn write_history(db: &Database, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let celsius = Temperature::fields().celsius;
    let years = Temperature::history(db).aggregate(celsius).per_series();
    writeln!(out, "\n{}", report::table(&years.await?))?;

    writeln!(out, "\nNewest reading of each station")?;
    for newest in Temperature::query_latest(db, 1).await? {
        writeln!(out, "{}", report::reading(&newest))?;
    }

    for station in &STATIONS {
        let year = Temperature::series(station.name).history(db);
        let by_month = |year: History<Temperature>| {
            let months = year.aggregate(celsius);
            let months = months.every_calendar(Calendar::Month, TimeZone::UTC);
            months.gaps(Gaps::Null).per_series()
        };
        let months = by_month(year.clone()).await?;
        let whole = year.clone().between(
            months.first().map_or(0, |month| month.start_ms),
            months.last().map_or(0, |month| month.end_ms - 1),
        );
        let warm = by_month(whole.filter(celsius.gt(20.0))).await?;
        writeln!(
            out,
            "\n{}\n{}",
            station.city,
            report::months(&months, &warm)
        )?;

        let points = year.downsample(celsius, report::POINTS).await?;
        writeln!(out, "\n{}", report::plot(station.city, &points))?;
    }
    Ok(())
}
