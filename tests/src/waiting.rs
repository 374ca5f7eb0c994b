//! Waiting for a condition, not for a time.

use std::time::{Duration, Instant};

/// After so long, a test that waits has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns as soon as `condition` holds.
///
/// # Panics
/// If it does not within a minute of real time.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what}: still not so");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
