//! A gateway: it records under a name of its own, as it would into a file.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::AimDbBuilder;
use aimdb_persistence::prelude::*;
use aimdb_persistence_examples::readings::STATIONS;
use aimdb_persistence_postgres::PostgresBackend;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

/// Every gateway has the same record: its name tells them apart.
#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(
    key = "temperature.{place}",
    retention = "forever",
    buffer = "ring(16384)"
)]
pub(crate) struct Temperature {
    #[persist(unit = "°C")]
    pub(crate) celsius: f64,
    #[persist(timestamp)]
    pub(crate) at: u64,
}

/// Which readings a gateway has.
pub(crate) struct Gateway {
    pub(crate) name: &'static str,
    station: &'static str,
    /// It reads every so many hours.
    hours: usize,
}

pub(crate) const GATEWAYS: [Gateway; 3] = [
    Gateway {
        name: "seattle",
        station: "seattle",
        hours: 1,
    },
    Gateway {
        name: "sf-north",
        station: "sf",
        hours: 1,
    },
    Gateway {
        name: "sf-south",
        station: "sf",
        hours: 6,
    },
];

/// Records the readings of a year.
pub(crate) async fn record(name: &str, url: &str) -> Result<(), Box<dyn Error>> {
    let gateway = GATEWAYS.iter().find(|gateway| gateway.name == name);
    let gateway = gateway.ok_or("there is no such gateway")?;
    let station = STATIONS
        .iter()
        .find(|station| station.name == gateway.station);
    let readings = station.ok_or("there is no such station")?.readings()?;

    let backend = PostgresBackend::builder(url).source(name).connect().await?;
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(Arc::new(backend), Duration::from_secs(365 * 86_400));
    let outside = Temperature::series("outside");
    outside.register(&mut builder);
    let db = builder.build().await?;
    for reading in readings.iter().step_by(gateway.hours) {
        let temperature = Temperature {
            celsius: reading.celsius,
            at: reading.at,
        };
        db.produce(outside.key(), temperature).await?;
    }
    let closed = db.close_persistence(Duration::from_secs(30)).await?;
    let total = closed.stats.total;
    println!(
        "{name}: {} values stored, {} lost",
        total.stored,
        total.lost()
    );
    Ok(())
}
