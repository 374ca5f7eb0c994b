//! A service that records until it is told to stop, and then closes its history within a deadline: on SIGTERM, as
//! systemd, Docker and Kubernetes send it, or on Ctrl-C.
//!
//! ```sh
//! cargo run --example graceful_shutdown -- history.db & sleep 3; kill -TERM $!
//! ```

use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aimdb_core::{AimDb, AimDbBuilder};
use aimdb_persistence::{AimDbBuilderPersistExt, AimDbQueryExt, Persist};
use aimdb_persistence_sqlite::SqliteBackend;
use aimdb_tokio_adapter::TokioAdapter;
use serde::{Deserialize, Serialize};

/// Shorter than what the supervisor grants before it kills: 10 s by Docker, 30 s by Kubernetes, 90 s by systemd.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, Serialize, Deserialize, Persist)]
#[persist(key = "engine.speed", retention = "30d")]
struct EngineSpeed {
    rpm: f64,
    #[persist(timestamp)]
    at: SystemTime,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or("history.db".to_owned());
    let backend = Arc::new(SqliteBackend::new(path)?);
    let mut builder = AimDbBuilder::new()
        .runtime(Arc::new(TokioAdapter::new()?))
        .with_persistence(backend.clone(), Duration::from_secs(30 * 86_400));
    EngineSpeed::register(&mut builder);
    let db = builder.build().await?;

    let stop = told_to_stop()?;
    tokio::select! {
        measured = measure(&db) => measured?,
        signal = stop => println!("{signal}: closing the history"),
    }

    // Values that are still on their way are stored; whatever the disk does, it is over by the deadline.
    let closed = db.close_persistence(CLOSE_DEADLINE).await?;
    let total = closed.stats.total;
    println!(
        "{} values produced, {} stored",
        total.produced, total.stored
    );
    // Folds the log in, so that the history is one file. Not needed for its safety.
    tokio::time::timeout(CLOSE_DEADLINE, backend.close()).await??;
    Ok(match closed.complete && total.lost() == 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// A thousand values a second.
async fn measure(db: &AimDb<TokioAdapter>) -> Result<(), Box<dyn Error>> {
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    println!("recording");
    for n in 0_u64.. {
        ticks.tick().await;
        let rpm = 2_000.0 + 1_500.0 * (n as f64 / 1_000.0).sin();
        let at = SystemTime::now();
        db.produce("engine.speed", EngineSpeed { rpm, at }).await?;
    }
    Ok(())
}

/// From when it is called, the signals end nothing by themselves.
#[cfg(unix)]
fn told_to_stop() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "Ctrl-C",
        }
    })
}

#[cfg(not(unix))]
fn told_to_stop() -> io::Result<impl Future<Output = &'static str>> {
    Ok(async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => "deaf to Ctrl-C",
        }
    })
}
