//! A process that is killed at any moment leaves a sound file with everything that it has said is stored.

use std::path::PathBuf;
use std::time::Duration;

use aimdb_persistence_tests::crash::{Assignment, Ending, FEW_TAIL_ROWS, Promise};
use tempfile::TempDir;

use crate::child::{Recording, copy_database};
use crate::history::{self, Due, Promised};
use crate::times;

/// Half of the processes pack at once, into chunks that are soon full.
const CHUNK_ROWS: usize = 8;

/// So often a file goes on from run to run before the next one is begun: it does not get large, and being killed while
/// it is created gets its turn too.
const RUNS_OF_A_FILE: u32 = 20;

/// A file into which one process after the other records.
struct Story {
    folder: TempDir,
    promised: Promised,
    durability: Promise,
    random: fastrand::Rng,
}

impl Story {
    fn begin(durability: Promise) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            promised: Promised::default(),
            durability,
            random: fastrand::Rng::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn assignment(&mut self, writer: u32, run: u32) -> Assignment {
        Assignment {
            path: self.path(),
            writer,
            run,
            seed: self.random.u64(..),
            durability: self.durability,
            steps: usize::MAX,
            flushes: true,
            ending: Ending::Abrupt,
            tail_rows: FEW_TAIL_ROWS,
            chunk_rows: self.random.bool().then_some(CHUNK_ROWS),
            quarantine: false,
            faults: String::new(),
        }
    }

    /// Starts a process, lets it record for a moment, and kills it: one in four times while it is opening the file.
    fn run(&mut self, run: u32) {
        let mut recording = Recording::start(&self.assignment(0, run));
        let longest_us = match self.random.u8(0..4) {
            0 => 30_000,
            _ => {
                recording.wait_until_ready();
                100_000
            }
        };
        let time = Duration::from_micros(self.random.u64(0..longest_us));
        for report in recording.kill_after(time) {
            self.promised.hear(0, run, &report);
        }
    }

    /// Two processes at the same time; one is killed while the other goes on, which is killed later.
    fn run_two(&mut self, run: u32) {
        let mut both = [0, 1].map(|writer| Recording::start(&self.assignment(writer, run)));
        both.iter_mut().for_each(Recording::wait_until_ready);
        for (recording, writer) in both.into_iter().zip([0, 1]) {
            let time = Duration::from_micros(self.random.u64(0..60_000));
            for report in recording.kill_after(time) {
                self.promised.hear(writer, run, &report);
            }
        }
    }

    /// Looks at a copy, so that the next run finds the file as the kill has left it.
    fn check(&self) {
        let copy = tempfile::tempdir().expect("a folder");
        let path = copy.path().join("history.db");
        copy_database(&self.path(), &path);
        let checked =
            history::read(&path).and_then(|rows| self.promised.are_kept_by(&rows, Due::Stored));
        if let Err(problem) = checked {
            panic!("{problem}; the evidence: {}", copy.keep().display());
        }
    }
}

/// Kills so many processes; whatever one of them has reported is checked after each.
fn kill(kills: usize, durability: Promise, run: fn(&mut Story, u32)) {
    let mut left = times(kills);
    let mut promised = 0;
    while left > 0 {
        let mut story = Story::begin(durability);
        let runs = left.min(RUNS_OF_A_FILE as usize);
        for number in 0..runs as u32 {
            run(&mut story, number);
            story.check();
        }
        promised += story.promised.rows();
        left -= runs;
    }
    assert!(
        promised > kills as u64,
        "{promised} rows: nothing was tested"
    );
}

#[test]
fn a_process_killed_at_any_moment_loses_no_row_that_it_was_told_is_stored() {
    kill(100, Promise::Full, Story::run);
}

#[test]
fn a_killed_process_loses_nothing_where_only_a_power_cut_may_either() {
    kill(20, Promise::Grouped, Story::run);
    kill(20, Promise::Relaxed, Story::run);
}

#[test]
fn of_two_processes_that_record_into_one_file_each_may_be_killed_at_any_moment() {
    kill(20, Promise::Full, Story::run_two);
}
