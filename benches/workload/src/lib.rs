//! What all benchmarks have in common: the rows they store, the meters of the process, and the order of events for a
//! peer. It links no database, so that crates which cannot share one `Cargo.lock` can all use it.

mod latency;
mod peer;
mod process;
mod reading;

pub use latency::{Latencies, median};
pub use peer::{Peer, measure_peer};
pub use process::{
    cpu_seconds, device_bytes_written, folder_bytes, peak_resident_bytes, resident_bytes,
};
pub use reading::{Reading, START_MS, series_key, series_keys};

/// How many series a workload has unless it says otherwise.
pub const SERIES: u64 = 100;

/// How many rows a flood puts into one transaction.
pub const ROWS_PER_COMMIT: u64 = 10_000;
