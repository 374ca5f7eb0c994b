//! The suite on the backend in memory; `aimdb-persistence` tries it on backends that break one promise each.
#![cfg(feature = "conformance")]

use std::sync::Arc;

use aimdb_persistence_backend::MemoryBackend;
use aimdb_persistence_backend::conformance::{self, Check};

aimdb_persistence_backend::conformance_tests!(|check: Check| {
    conformance::block_on(check.run(Arc::new(MemoryBackend::new())));
});
