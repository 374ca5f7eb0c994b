//! The weather station on AimDB 2: the same program, but for its `database`.

#[path = "../weather_station/arguments.rs"]
mod arguments;
mod database;
#[path = "../weather_station/progress.rs"]
mod progress;
#[path = "../weather_station/replay.rs"]
mod replay;
#[path = "../weather_station/report.rs"]
mod report;
#[path = "../weather_station/station.rs"]
mod station;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    station::main().await
}
