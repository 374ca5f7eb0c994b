//! After a power cut at any moment the file opens, and holds what had been stored up to some commit: with
//! `Durability::Full` every row that was said to be stored, with `Grouped` every row that was flushed.
//!
//! A process records while everything that it asks of the file system is written down. From that, what may be on the
//! disk after a power cut at any step is made up: what was synced, and of everything else any part.

mod disk;
mod failing_syncs;
mod tape;

use std::collections::BTreeMap;
use std::fs;

use aimdb_persistence_tests::crash::{Assignment, Ending, FEW_TAIL_ROWS, Promise, Report};
use aimdb_persistence_tests::waiting::eventually;
use tempfile::TempDir;

use self::disk::{Disk, Luck};
use self::tape::{Action, Step, Tape};
use crate::history::{self, Due, Promised, Row};
use crate::times;

/// Processes that record into one file, each into what a power cut has left to it.
const RUNS_OF_A_FILE: u32 = 2;
/// Power cuts in the life of one process.
const CUTS_OF_A_RUN: usize = 50;
/// Decisions of a process: enough for merges, sweeps and a checkpoint or two.
const STEPS: std::ops::Range<usize> = 15..50;

/// A folder's files by name.
type Files = BTreeMap<String, Vec<u8>>;

/// What a process did to the files that it found.
struct Run {
    number: u32,
    promise: Promise,
    found: Files,
    /// Before it began.
    promised: Promised,
    tape: Tape,
}

impl Run {
    fn record(
        number: u32,
        promise: Promise,
        found: Files,
        promised: Promised,
        ending: Ending,
    ) -> Self {
        let folder = folder_with(&found);
        let assignment = assignment(&folder, number, promise, ending);
        let tape = Tape::record(&[assignment]);
        Self {
            number,
            promise,
            found,
            promised,
            tape,
        }
    }

    /// The disk and the promises after the last step.
    fn end(&self) -> (Disk<'_>, Promised) {
        let (mut disk, mut promised) = (Disk::holding(&self.found), self.promised.clone());
        let mut run = self.number;
        for step in self.tape.steps() {
            disk.take(&step);
            hear(&mut promised, &mut run, &step);
        }
        (disk, promised)
    }

    /// Every row that is never removed, in the order of commits.
    fn all_kept(&self) -> Vec<Row> {
        let files = left_of(&self.end().0, Luck::Everything);
        let rows = read(&folder_with(&files)).expect("a file whose process has ended");
        rows.into_iter().filter(Row::is_kept).collect()
    }

    /// Whether what has been synced by now is all that is stored by now.
    fn is_durable(&self) -> bool {
        let (disk, promised) = self.end();
        let files = left_of(&disk, Luck::Nothing);
        let rows = read(&folder_with(&files)).expect("a sound file");
        promised.are_kept_by(&rows, Due::Stored).is_ok()
    }

    /// Cuts the power at so many moments; returns what one of the cuts has left.
    fn cut_power(&self, cuts: usize) -> (Files, Promised) {
        let all = self.all_kept();
        let steps = self.tape.steps().count();
        let mut random = fastrand::Rng::new();
        let mut moments: Vec<usize> = (0..cuts).map(|_| random.usize(0..steps)).collect();
        moments.sort_unstable();
        let mut moments = moments.into_iter().peekable();
        let mut left = None;
        let (mut disk, mut promised) = (Disk::holding(&self.found), self.promised.clone());
        let mut run = self.number;
        for (index, step) in self.tape.steps().enumerate() {
            disk.take(&step);
            hear(&mut promised, &mut run, &step);
            while moments.next_if_eq(&index).is_some() {
                let files = disk.after_power_cut(any_luck(&mut random), &mut random);
                if let Err(problem) = self.check(&folder_with(&files), &promised, &all) {
                    let evidence = folder_with(&files).keep();
                    panic!(
                        "{problem}; at step {index}, the evidence: {}",
                        evidence.display()
                    );
                }
                left = Some((files, promised.clone()));
            }
        }
        left.expect("the power was cut")
    }

    fn check(&self, folder: &TempDir, promised: &Promised, all: &[Row]) -> Result<(), String> {
        let rows = read(folder)?;
        promised.are_kept_by(&rows, due(self.promise))?;
        let kept: Vec<_> = rows.into_iter().filter(Row::is_kept).collect();
        if !all.starts_with(&kept) {
            return Err("what is there is not what had been stored up to some commit".to_owned());
        }
        Ok(())
    }
}

fn assignment(folder: &TempDir, run: u32, durability: Promise, ending: Ending) -> Assignment {
    Assignment {
        path: folder.path().join("history.db"),
        writer: 0,
        run,
        seed: fastrand::u64(..),
        durability,
        steps: fastrand::usize(STEPS),
        flushes: ending == Ending::Abrupt,
        ending,
        tail_rows: FEW_TAIL_ROWS,
        chunk_rows: fastrand::bool().then_some(8),
        quarantine: false,
        faults: String::new(),
    }
}

fn folder_with(files: &Files) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

fn read(folder: &TempDir) -> Result<Vec<Row>, String> {
    history::read(&folder.path().join("history.db"))
}

/// Takes down what a process says; `run` is the one that speaks.
fn hear(promised: &mut Promised, run: &mut u32, step: &Step<'_>) {
    let Action::Report(reports) = &step.action else {
        return;
    };
    for report in reports {
        if let Report::Begun(number) = report {
            *run = *number;
        }
        promised.hear(0, *run, report);
    }
}

fn due(promise: Promise) -> Due {
    match promise {
        Promise::Full => Due::Stored,
        Promise::Grouped => Due::Flushed,
        Promise::Relaxed => Due::Order,
    }
}

fn left_of(disk: &Disk<'_>, luck: Luck) -> Files {
    disk.after_power_cut(luck, &mut fastrand::Rng::new())
}

fn any_luck(random: &mut fastrand::Rng) -> Luck {
    match random.u8(0..8) {
        0 => Luck::Everything,
        1 | 2 => Luck::Nothing,
        3 | 4 => Luck::InOrder,
        _ => Luck::Anything,
    }
}

/// Cuts the power so many times.
fn cut_power(cuts: usize, promise: Promise) {
    let mut left = times(cuts);
    while left > 0 {
        let (mut files, mut promised) = (Files::new(), Promised::default());
        for number in 0..RUNS_OF_A_FILE {
            let cuts = left.clamp(1, CUTS_OF_A_RUN);
            let run = Run::record(number, promise, files, promised, Ending::Abrupt);
            (files, promised) = run.cut_power(cuts);
            left = left.saturating_sub(cuts);
        }
    }
}

#[test]
fn a_power_cut_under_full_durability_loses_no_row_that_was_said_to_be_stored() {
    cut_power(1_000, Promise::Full);
}

#[test]
fn a_power_cut_under_grouped_durability_loses_no_row_that_was_flushed() {
    cut_power(200, Promise::Grouped);
}

#[test]
fn a_power_cut_under_relaxed_durability_leaves_a_sound_file_that_ends_at_some_commit() {
    cut_power(200, Promise::Relaxed);
}

#[test]
fn a_history_that_was_closed_is_durable_as_a_whole() {
    for promise in [Promise::Full, Promise::Grouped] {
        let run = Run::record(
            0,
            promise,
            Files::new(),
            Promised::default(),
            Ending::Closed,
        );
        assert!(run.is_durable(), "{promise:?}");
    }
}

/// A process that would wait for ever, also where the test fails before it is done with it.
struct KilledInTheEnd(std::process::Child);

impl Drop for KilledInTheEnd {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn grouped_durability_syncs_what_was_stored_without_being_asked() {
    let (folder, beside) = (folder_with(&Files::new()), folder_with(&Files::new()));
    let tape = beside.path().join("tape");
    let assignment = assignment(&folder, 0, Promise::Grouped, Ending::Idle);
    let process = tape::command(&assignment, &tape).spawn();
    let _process = KilledInTheEnd(process.expect("the child starts"));
    eventually("everything that was stored is durable", || {
        let run = Run {
            number: 0,
            promise: Promise::Grouped,
            found: Files::new(),
            promised: Promised::default(),
            tape: Tape::read(&tape),
        };
        run.tape.says(&Report::Idle) && run.is_durable()
    })
    .await;
}
