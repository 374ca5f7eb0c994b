//! A weather station with a memory: a year of hourly temperatures of two cities is recorded through AimDB into a
//! SQLite file, and asked back.
//!
//! Start it twice: the second run finds the history of the first. Interrupt it with Ctrl-C: the next run goes on.

mod arguments;
mod database;
mod progress;
mod replay;
mod report;
mod station;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    station::main().await
}
