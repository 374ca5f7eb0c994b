//! A type of another crate gets a history by a marker. Here the other crate is the examples' own library: its `Reading` knows
//! nothing of AimDB or of histories.
//!
//! ```sh
//! cargo run --example data_contracts
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::AimDbBuilder;
use aimdb_persistence::MemoryBackend;
use aimdb_persistence::prelude::*;
use aimdb_persistence_examples::readings::{self, STATIONS};
use aimdb_tokio_adapter::TokioAdapter;

/// Says of `Reading` what an attribute would, if the type were ours. The fields are compared with those of the type.
#[derive(Persist)]
#[persist(
    for = "readings::Reading",
    key = "temperature.{station}",
    buffer = "ring(16384)",
    retention = "forever"
)]
struct TemperatureHistory {
    #[persist(deadband = 0.5, unit = "°C")]
    celsius: f64,
    #[persist(timestamp)]
    at: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(Arc::new(MemoryBackend::new()), Duration::MAX);
    for station in &STATIONS {
        TemperatureHistory::series(station.name).register(&mut builder);
    }
    let db = builder.build().await?;

    // The records are of the other crate's type, and so are the answers.
    let mut hours = 0;
    for station in &STATIONS {
        for reading in station.readings()? {
            let key = TemperatureHistory::series(station.name).key().to_owned();
            db.produce(key, reading).await?;
            hours += 1;
        }
    }
    db.flush_persistence().await?;

    let celsius = TemperatureHistory::fields().celsius;
    println!("{hours} hours of a year");
    for station in &STATIONS {
        let series = TemperatureHistory::series(station.name);
        let stored = series.history(&db).count().await?;
        let warm = series.history(&db).filter(celsius.ge(15.0)).count().await?;
        println!(
            "{:<14} {stored:>5} stored, {warm:>4} of 15 °C or more",
            station.city
        );
    }
    for readings::Reading { celsius, .. } in TemperatureHistory::query_latest(&db, 1).await? {
        println!("the year ends at {celsius:.1} °C");
    }
    db.close_persistence(Duration::from_secs(10)).await?;
    Ok(())
}
