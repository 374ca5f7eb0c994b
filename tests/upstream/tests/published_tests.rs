//! The tests that upstream has published with `aimdb-persistence` 0.1.1, compiled from cargo's copy of it and run on this crate.

include!(concat!(env!("OUT_DIR"), "/published_tests.rs"));
