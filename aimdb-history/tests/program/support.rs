//! Running the program, and the history that it is run on.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aimdb_core::{AimDb, AimDbBuilder};
use aimdb_persistence::prelude::*;
use aimdb_persistence_examples::readings::STATIONS;
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}", retention = "forever")]
pub(crate) struct Temperature {
    #[persist(unit = "°C")]
    pub(crate) celsius: f64,
    pub(crate) station: String,
    #[persist(timestamp)]
    pub(crate) at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "door.{name}",
    retention = "20y",
    version = 2,
    migrate(..),
    buffer = "ring(4096)"
)]
pub(crate) struct Door {
    pub(crate) state: String,
    pub(crate) locked: bool,
    #[persist(timestamp)]
    pub(crate) at: u64,
}

/// 2010-01-01 in UTC.
pub(crate) const YEAR_BEGINS: u64 = 1_262_304_000_000;
pub(crate) const HOUR: u64 = 3_600_000;

/// What the program printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// What was printed by a program that succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self.out
    }

    /// The lines that are JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Vec<serde_json::Value> {
        let lines = self.ok();
        let parse = |line: &str| serde_json::from_str(line).expect(line);
        lines.lines().map(parse).collect()
    }

    /// What was said by a program that ended with this code, having printed nothing.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        assert_eq!(
            self.out, "",
            "nothing is printed before it is known to be right"
        );
        self.err
    }
}

/// The program on a history; times are in UTC.
pub(crate) fn tool(history: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aimdb-history"));
    command.arg(history).args(arguments).args(["--tz", "UTC"]);
    command
}

pub(crate) fn run(history: &Path, arguments: &[&str]) -> Ran {
    Ran::of(tool(history, arguments).output().expect("it starts"))
}

/// The weather of 2010 in two cities, and a door: recorded once, and never changed by a test.
pub(crate) fn weather() -> &'static Path {
    static WEATHER: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = WEATHER.get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("history.db");
        record_weather(&path).expect("the weather is recorded");
        (folder, path)
    });
    path
}

/// A copy of it that a test may change.
pub(crate) fn weather_to_change() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("history.db");
    std::fs::copy(weather(), &path).expect("it can be copied");
    (folder, path)
}

fn record_weather(path: &Path) -> Outcome {
    Runtime::new()?.block_on(async {
        let backend = SqliteBackend::new(path)?;
        let db = database(backend.clone()).await?;
        for station in &STATIONS {
            let of = |reading: &aimdb_persistence_examples::readings::Reading| Temperature {
                celsius: reading.celsius,
                station: station.name.to_owned(),
                at: reading.at,
            };
            let values: Vec<_> = station.readings()?.iter().map(of).collect();
            let series = Temperature::series(station.name);
            assert_eq!(series.store_all(&db, &values).await?, 8_759);
        }
        let states = [
            ("open", false),
            ("shut", false),
            ("shut", true),
            ("open", false),
        ];
        let door = |(hour, (state, locked)): (u64, &(&str, bool))| Door {
            state: (*state).to_owned(),
            locked: *locked,
            at: YEAR_BEGINS + hour * HOUR,
        };
        let doors: Vec<_> = (0..).zip(&states).map(door).collect();
        Door::series("front").store_all(&db, &doors).await?;
        db.close_persistence(Duration::from_secs(60)).await?;
        Ok(backend.close().await?)
    })
}

/// A database with a door that records.
pub(crate) async fn database(
    backend: SqliteBackend,
) -> Result<AimDb<TokioAdapter>, Box<dyn Error>> {
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(Arc::new(backend), Duration::MAX);
    Door::series("back").register(&mut builder);
    for station in &STATIONS {
        Temperature::series(station.name).register(&mut builder);
    }
    Ok(builder.build().await?)
}

/// The names of the files in a folder.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("UTF-8")
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}
