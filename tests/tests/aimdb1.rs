//! The behaviour tests on AimDB 1.

use aimdb_persistence_tests::aimdb1 as aimdb;

#[path = "behaviour/mod.rs"]
mod behaviour;
