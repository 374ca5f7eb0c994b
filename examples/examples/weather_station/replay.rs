//! The readings of a past year, produced as if they were measured now, only faster.

use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use aimdb_persistence::Series;
use aimdb_persistence_examples::readings::{Reading, Station};
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::database::{self, Database, DbResult};
use crate::progress::{Progress, StationProgress};
use crate::station::Temperature;

const HOURS_PER_DAY: usize = 24;

/// One station's year, and how much of it is stored already.
pub(crate) struct Replay {
    pub(crate) station: &'static Station,
    pub(crate) series: Series<Temperature>,
    pub(crate) readings: Vec<Reading>,
    pub(crate) stored: usize,
}

/// How a replay ended.
pub(crate) enum Ending {
    Complete,
    /// By Ctrl-C.
    Interrupted,
}

/// Produces what is left of every station, each from a task of its own.
///
/// # Errors
/// If AimDB does not take a value.
pub(crate) async fn run(
    db: &Database,
    replays: Vec<Replay>,
    days_per_second: u32,
) -> Result<Ending, Box<dyn Error>> {
    let progress = Progress::new();
    let mut producers = JoinSet::new();
    for replay in replays {
        let progress = progress.station(replay.series.key(), replay.readings.len(), replay.stored);
        producers.spawn(replay.run(db.clone(), days_per_second, progress));
    }
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            ended = producers.join_next() => match ended {
                Some(produced) => produced??,
                None => return Ok(Ending::Complete),
            },
            interrupted = &mut interrupt => {
                interrupted?;
                progress.interrupt();
                producers.shutdown().await;
                return Ok(Ending::Interrupted);
            }
        }
    }
}

impl Replay {
    async fn run(
        self,
        db: Database,
        days_per_second: u32,
        mut progress: StationProgress,
    ) -> DbResult<()> {
        let mut day_begins = interval(Duration::from_secs(1) / days_per_second);
        for day in self.readings[self.stored..].chunks(HOURS_PER_DAY) {
            day_begins.tick().await;
            for reading in day {
                let temperature = Temperature {
                    station: self.station.name.to_owned(),
                    celsius: reading.celsius,
                    at: reading.at,
                };
                database::produce(&db, self.series.key(), temperature).await?;
            }
            progress.advance(day);
        }
        Ok(())
    }
}
