//! The program: [`aimdb_history::command_line::run`] with what it was started with.

use std::process::ExitCode;

fn main() -> ExitCode {
    aimdb_history::command_line::run(std::env::args_os())
}
