//! The program on AimDB 1.

use aimdb_persistence_tests::aimdb1 as aimdb;

#[path = "program.rs"]
pub(crate) mod program;
