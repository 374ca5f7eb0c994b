//! A backend of one's own: three methods, and a whole database works on it.
//!
//! `json_lines.rs` is the backend, a text file that any tool can read. Here a database records into it.

mod json_lines;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aimdb_core::AimDbBuilder;
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceBackend, QueryParams,
};
use aimdb_persistence_examples::files;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

use crate::json_lines::JsonLines;

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "machine.{name}.spindle", retention = "30d")]
struct Spindle {
    rpm: u32,
    #[persist(timestamp)]
    at: u64, // Unix milliseconds
}

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = files::from_command_line("custom_backend.jsonl")?;
    println!("History: {}", path.display());

    let backend = Arc::new(JsonLines::open(&path)?);
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(backend.clone(), Duration::MAX);
    let machines = [("lathe", 1_200), ("mill", 8_000)];
    for (machine, _) in machines {
        Spindle::series(machine).register(&mut builder);
    }
    let db = builder.build().await?;

    let earlier = db.query_raw("#", QueryParams::default()).await?;
    println!("Rows from earlier runs: {}", earlier.len());

    // A value a day, for ten days.
    let now_ms = now_ms()?;
    for days_ago in (0..10).rev() {
        for (machine, rpm) in machines {
            let value = Spindle {
                rpm: rpm + days_ago,
                at: now_ms - u64::from(days_ago) * DAY_MS,
            };
            db.produce(Spindle::series(machine).key(), value).await?;
        }
    }
    db.flush_persistence().await?;
    println!("\nRecorded");
    for record in db.persistence_stats()?.records {
        let counts = record.counts;
        println!(
            "  {:<22} {} produced, {} stored, {} lost",
            record.record_name,
            counts.produced,
            counts.stored,
            counts.lost()
        );
    }

    println!("\nNewest of machine.*.spindle");
    let newest = QueryParams {
        limit_per_record: Some(1),
        ..QueryParams::default()
    };
    for row in db.query_raw("machine.*.spindle", newest).await? {
        println!("  {:<22} {} rpm", row.record_name, row.value["rpm"]);
    }

    let lathe = Spindle::series("lathe");
    let range = lathe
        .query_range(&db, now_ms - 3 * DAY_MS, now_ms, Some(4))
        .await?;
    let speeds: Vec<String> = range
        .iter()
        .map(|spindle| spindle.rpm.to_string())
        .collect();
    println!("\nThe lathe in the last three days, newest first");
    println!("  {} rpm", speeds.join(", "));

    // The database removes by itself what is older than the declared 30 days. A backend can be asked for more.
    let removed = backend.cleanup(now_ms - 7 * DAY_MS).await?;
    println!("\nRows older than a week removed: {removed}");
    let left = db.query_raw("#", QueryParams::default()).await?;
    println!("Rows left: {}", left.len());

    db.close_persistence(Duration::from_secs(10)).await?;
    Ok(())
}

fn now_ms() -> Result<u64, Box<dyn Error>> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(since_1970.as_millis())?)
}
