//! A backend of one's own: three methods, and a whole database works on it.
//!
//! `json_lines.rs` is the backend, a text file that any tool can read. Here a database records into it.

mod json_lines;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::{AimDb, AimDbBuilder};
use aimdb_persistence::{
    AimDbBuilderPersistExt, AimDbQueryExt, Persist, PersistenceBackend, QueryParams,
};
use aimdb_persistence_examples::clock::now_ms;
use aimdb_persistence_examples::files;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

use crate::json_lines::JsonLines;

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "machine.{name}.spindle")]
struct Spindle {
    rpm: u32,
    #[persist(timestamp)]
    at: u64, // Unix milliseconds
}

/// Each machine, and the speed that it turns at today.
const MACHINES: [(&str, u32); 2] = [("lathe", 1_200), ("mill", 8_000)];

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = files::from_command_line("custom_backend.jsonl")?;
    println!("History: {}", path.display());

    let backend = Arc::new(JsonLines::open(&path)?);
    let retention = Duration::from_millis(30 * DAY_MS);
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(backend.clone(), retention);
    for (machine, _) in MACHINES {
        Spindle::series(machine).register(&mut builder);
    }
    let db = builder.build().await?;
    println!("Rows from earlier runs: {}", count_rows(&db).await?);

    let now_ms = now_ms();
    record(&db, now_ms).await?;
    ask(&db, now_ms).await?;

    // What is older than 30 days, the database removes by itself. A backend can be asked for more.
    let removed = backend.cleanup(now_ms - 7 * DAY_MS).await?;
    println!("\nRows older than a week removed: {removed}");
    println!("Rows left: {}", count_rows(&db).await?);

    db.close_persistence(Duration::from_secs(10)).await?;
    Ok(())
}

async fn count_rows(db: &AimDb<TokioAdapter>) -> Result<usize, Box<dyn Error>> {
    let rows = db.query_raw("#", QueryParams::default()).await?;
    Ok(rows.len())
}

/// A value a day of each machine, for ten days, which got a little slower every day.
async fn record(db: &AimDb<TokioAdapter>, now_ms: u64) -> Result<(), Box<dyn Error>> {
    for days_ago in (0..10).rev() {
        for (machine, rpm) in MACHINES {
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
    Ok(())
}

async fn ask(db: &AimDb<TokioAdapter>, now_ms: u64) -> Result<(), Box<dyn Error>> {
    println!("\nNewest of machine.*.spindle");
    let newest = QueryParams {
        limit_per_record: Some(1),
        ..QueryParams::default()
    };
    for row in db.query_raw("machine.*.spindle", newest).await? {
        println!("  {:<22} {} rpm", row.record_name, row.value["rpm"]);
    }

    println!("\nThe lathe in the last three days, newest first");
    let lathe = Spindle::series("lathe");
    let range = lathe
        .query_range(db, now_ms - 3 * DAY_MS, now_ms, Some(4))
        .await?;
    for spindle in range {
        println!("  {} rpm", spindle.rpm);
    }
    Ok(())
}
