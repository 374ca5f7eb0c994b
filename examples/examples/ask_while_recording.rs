//! Asks the weather station's file for the newest value of each station, while the weather station records into it.
//!
//! Start `weather_station` in one terminal and this in another. It records nothing, and needs no AimDB database.

use std::error::Error;
use std::sync::Arc;

use aimdb_persistence::prelude::*;
use aimdb_persistence_examples::{files, readings::date_of};
use aimdb_persistence_sqlite::SqliteBackend;
use serde::{Deserialize, Serialize};

/// As `weather_station` declares it. A type that only asks needs the key, and the fields that it reads.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "temperature.{station}")]
struct Temperature {
    celsius: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = files::from_command_line("weather_station.db")?;
    let backend = SqliteBackend::builder(path).read_only().open()?;
    let archive = Archive::open(Arc::new(backend)).await?;
    for newest in Temperature::history(&archive).latest(1).rows().await? {
        let (at, celsius) = (date_of(newest.stored_at), newest.value.celsius);
        println!("{:<20} {celsius:>5.1} °C  {at}", newest.record_name);
    }
    Ok(())
}
