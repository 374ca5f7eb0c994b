//! The process on AimDB 1 whose end the tests look at: it produces values into a history, and ends in one of several ways.
//!
//! `ending_child_1 RUNTIME ENDING PATH`

use aimdb_persistence_tests::aimdb1 as aimdb;

#[path = "ending/program.rs"]
mod program;

fn main() {
    program::run();
}
