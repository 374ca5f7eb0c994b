//! The behaviour tests on AimDB 2.

use aimdb_persistence_tests::aimdb2 as aimdb;

#[path = "behaviour/mod.rs"]
mod behaviour;
