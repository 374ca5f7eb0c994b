//! The program on AimDB 2.

use aimdb_persistence_tests::aimdb2 as aimdb;

#[path = "program.rs"]
pub(crate) mod program;
