//! The promises that every backend keeps, on a file and in memory.

use std::sync::Arc;

use aimdb_persistence::PersistenceBackend;
use aimdb_persistence::conformance::{self, Check};
use aimdb_persistence_sqlite::SqliteBackend;

mod on_a_file {
    use super::*;

    aimdb_persistence::conformance_tests!(on_a_fresh_file);

    fn on_a_fresh_file(check: Check) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("history.db");
        let open = move || {
            let backend = SqliteBackend::new(&path).expect("the file opens");
            async { Arc::new(backend) as Arc<dyn PersistenceBackend> }
        };
        conformance::block_on(check.run_reopening(open));
    }
}

mod in_memory {
    use super::*;

    aimdb_persistence::conformance_tests!(on_a_fresh_database);

    fn on_a_fresh_database(check: Check) {
        let backend = SqliteBackend::new(":memory:").expect("memory is always there");
        conformance::block_on(check.run(Arc::new(backend)));
    }
}

/// Everything is packed at once, into chunks of eight rows.
mod packed {
    use super::*;

    aimdb_persistence::conformance_tests!(on_a_fresh_file);

    fn on_a_fresh_file(check: Check) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("history.db");
        let open = move || {
            let builder = SqliteBackend::builder(&path).chunks_of(8);
            let backend = builder.open().expect("the file opens");
            async { Arc::new(backend) as Arc<dyn PersistenceBackend> }
        };
        conformance::block_on(check.run_reopening(open));
    }
}
