//! The behaviour tests on AimDB 2.

use aimdb_persistence_tests::aimdb2 as aimdb;

#[path = "behaviour/mod.rs"]
mod behaviour;

/// What only this version has: a runner that must be run, and a grammar of its own on the wire.
#[path = "version2/mod.rs"]
mod version2;
