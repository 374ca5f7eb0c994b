//! The tool as its users meet it: as a program, on real SQLite files, with the weather of a year in them.

mod support;
mod transcripts;
mod transfer;

mod asking;
mod bad_input;
mod charts;
mod exchange;
mod keeping;
mod reading;
mod recording;
