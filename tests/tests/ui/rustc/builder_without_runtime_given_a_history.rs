use std::{sync::Arc, time::Duration};

use aimdb_core::AimDbBuilder;
use aimdb_persistence::{AimDbBuilderPersistExt, MemoryBackend};

fn main() {
    let backend = Arc::new(MemoryBackend::new());
    let _ = AimDbBuilder::new().with_persistence(backend, Duration::MAX);
}
