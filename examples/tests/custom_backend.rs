//! The example's backend keeps every promise of the contract.

#[path = "../examples/custom_backend/json_lines.rs"]
mod json_lines;

use std::sync::Arc;

use aimdb_persistence::conformance::Check;
use json_lines::JsonLines;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The backend hands its work to Tokio's blocking threads, so the check runs there.
fn on_a_fresh_backend(check: Check) {
    let folder = TempDir::new().expect("a folder for the file");
    let backend = JsonLines::open(&folder.path().join("history.jsonl")).expect("a fresh file");
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(check.run(Arc::new(backend)));
}

aimdb_persistence::conformance_tests!(on_a_fresh_backend);
