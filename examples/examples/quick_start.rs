//! Two records, recorded by `.persist(…)` in their configuration and asked back by a pattern.
//!
//! Start it twice: the values of the first run are still there.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::AimDbBuilder;
use aimdb_core::buffer::BufferCfg;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, QueryParams, RecordRegistrarPersistExt,
};
use aimdb_persistence_examples::clock::now_ms;
use aimdb_persistence_examples::files;
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_tokio_adapter::{TokioAdapter, TokioRecordRegistrarExt};
use serde::{Deserialize, Serialize};

/// How well a forecast has met the weather.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Accuracy {
    city: String,
    percent: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A plain "history.db" would do as well.
    let path = files::from_command_line("quick_start.db")?;
    println!("History: {}", path.display());

    let backend = Arc::new(SqliteBackend::new(&path)?);
    let week = Duration::from_secs(7 * 86_400);
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(backend.clone(), week);

    for key in ["accuracy::vienna", "accuracy::berlin"] {
        builder.configure::<Accuracy>(key, |reg| {
            reg.buffer(BufferCfg::SpmcRing { capacity: 100 })
                .persist(key);
        });
    }
    let db = builder.build().await?;

    let earlier = db.query_raw("accuracy::*", QueryParams::default()).await?;
    println!("Rows from earlier runs: {}", earlier.len());

    let start_ms = now_ms();
    for (key, city, percents) in [
        ("accuracy::vienna", "Vienna", [91.2, 93.5, 94.1]),
        ("accuracy::berlin", "Berlin", [88.7, 87.9, 90.4]),
    ] {
        for percent in percents {
            let city = city.to_owned();
            db.produce(key, Accuracy { city, percent }).await?;
        }
    }
    // Recording goes on in the background; after a flush everything produced so far is in the file.
    db.flush_persistence().await?;

    println!("\nLatest of each city");
    let latest: Vec<Accuracy> = db.query_latest("accuracy::*", 1).await?;
    for accuracy in &latest {
        println!("  {:<8} {:.1} %", accuracy.city, accuracy.percent);
    }

    println!("\nVienna in this run, newest first");
    let range: Vec<Accuracy> = db
        .query_range("accuracy::vienna", start_ms, now_ms(), None)
        .await?;
    for accuracy in &range {
        println!("  {:<8} {:.1} %", accuracy.city, accuracy.percent);
    }

    // Everything is stored already; this leaves one file, without SQLite's log beside it.
    let closed = db.close_persistence(Duration::from_secs(10)).await?;
    backend.close().await?;
    let total = closed.stats.total;
    println!("\n{} values stored, {} lost", total.stored, total.lost());
    Ok(())
}
