//! The conformance suite with `serde_json/arbitrary_precision`, which any crate of a build can switch on: numbers come as texts then, and no answer may change for
//! that.

use std::sync::Arc;

use aimdb_persistence::conformance::{Check, block_on};
use serde_json::Value;

mod memory {
    use super::*;

    aimdb_persistence::conformance_tests!(|check: Check| {
        block_on(check.run(Arc::new(aimdb_persistence::MemoryBackend::new())));
    });
}

mod sqlite {
    use super::*;

    aimdb_persistence::conformance_tests!(|check: Check| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("history.db");
        let backend = aimdb_persistence_sqlite::SqliteBackend::new(file).expect("a new file");
        block_on(check.run(Arc::new(backend)));
    });
}

#[test]
fn numbers_keep_their_text_in_this_build() {
    let value: Value = serde_json::from_str("1.50").expect("a number");
    assert_eq!(value.to_string(), "1.50", "the feature is on");
}
