//! A program without `async`: `aimdb-sync` runs AimDB on a thread of its own, and the program never sees the database. The
//! history's handle comes from the builder.
//!
//! ```sh
//! cargo run --example without_async -- history.db
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aimdb_core::AimDbBuilder;
use aimdb_persistence::prelude::*;
use aimdb_persistence_examples::clock::now_ms;
use aimdb_persistence_examples::files;
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_sync::AimDbBuilderSyncExt;
use aimdb_tokio_adapter::TokioAdapter;
use futures_lite::future::block_on;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "press.force", retention = "90d")]
struct Force {
    newton: f64,
    #[persist(timestamp)]
    at: u64, // Unix milliseconds
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = files::from_command_line("without_async.db")?;
    let backend = Arc::new(SqliteBackend::new(&path)?);
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(backend, Duration::from_secs(30 * 86_400));
    Force::register(&mut builder);
    let history = builder.persistence();

    let database = builder.attach()?;
    let press = database.producer::<Force>("press.force")?;
    let begin = now_ms();
    for n in 0..100_u32 {
        let newton = 900.0 + f64::from(n);
        let at = begin + u64::from(n);
        press.set(Force { newton, at })?;
    }

    // Any way to wait for a future will do: none of these needs a runtime of the program's own.
    let closed = block_on(history.close_persistence(Duration::from_secs(10)))?;
    database.detach()?;
    let total = closed.stats.total;
    println!("{} stored, {} lost", total.stored, total.lost());

    let this_run = Force::history(&history).since(begin);
    println!("{} rows of this run", block_on(this_run.clone().count())?);
    for newest in block_on(this_run.latest(1).values())? {
        println!("the newest is {} N", newest.newton);
    }
    Ok(())
}
