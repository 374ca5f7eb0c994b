//! The process on AimDB 2 whose end the tests look at: it produces values into a history, and ends in one of several ways.
//!
//! `ending_child_2 RUNTIME ENDING PATH`

use aimdb_persistence_tests::aimdb2 as aimdb;

#[path = "ending/program.rs"]
mod program;

fn main() {
    program::run();
}
