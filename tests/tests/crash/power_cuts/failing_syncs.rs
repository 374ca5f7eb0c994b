//! A sync that fails: Linux says so once, and takes what it could not write for written. After a power cut rows that were
//! answered later are there all the same.
//!
//! What a process reads is right until the pages are needed for something else, so nothing but the disk tells.

use aimdb_persistence_tests::crash::{Assignment, Ending, FEW_TAIL_ROWS, Promise};

use super::disk::{Disk, Luck};
use super::tape::{Action, Tape};
use super::{Files, any_luck, due, folder_with, hear, read};
use crate::history::Promised;
use crate::seeds;

/// Power cuts after the failure, in the life of one process.
const CUTS: usize = 5;
const EIO: i32 = 5;

/// One process meets a sync that fails, and perhaps another one goes on after it.
struct Life {
    promise: Promise,
    tape: Tape,
}

impl Life {
    /// The first of the processes meets so many failing syncs, from the `nth` on.
    fn of(seed: u64, promise: Promise, nth: usize, tail_rows: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = folder_with(&Files::new());
        let file = ["-wal", "-wal", ".db", "."][random.usize(0..4)];
        let times = random.usize(1..3);
        let mut assignment = |run, faults| Assignment {
            path: folder.path().join("history.db"),
            writer: 0,
            run,
            seed: random.u64(..),
            durability: promise,
            steps: random.usize(5..30),
            flushes: true,
            ending: Ending::Flushed,
            tail_rows,
            chunk_rows: None,
            quarantine: false,
            faults,
        };
        let faults = match file {
            // Of any name.
            "." => format!("sync:{nth}:{times}:{EIO}:wal,sync:{nth}:{times}:{EIO}:.db"),
            file => format!("sync:{nth}:{times}:{EIO}:{file}"),
        };
        let mut processes = vec![assignment(0, faults)];
        if seed.is_multiple_of(2) {
            processes.push(assignment(1, String::new()));
        }
        let tape = Tape::record(&processes);
        Self { promise, tape }
    }

    /// From some sync of its log on, all fail, until the first process ends. The next one knows nothing of that, and finds
    /// what was written in the system's memory.
    fn ended_by_failing_syncs(seed: u64, promise: Promise) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = folder_with(&Files::new());
        let faults = format!("sync:{}:0:{EIO}:-wal", random.usize(4..9));
        let endings = [(faults, Ending::Abrupt), (String::new(), Ending::Flushed)];
        let mut processes = Vec::new();
        for (run, (faults, ending)) in (0..).zip(endings) {
            processes.push(Assignment {
                path: folder.path().join("history.db"),
                writer: 0,
                run,
                seed: random.u64(..),
                durability: promise,
                steps: random.usize(40..80),
                flushes: ending == Ending::Flushed,
                ending,
                tail_rows: FEW_TAIL_ROWS,
                chunk_rows: None,
                quarantine: false,
                faults,
            });
        }
        let tape = Tape::record(&processes);
        Self { promise, tape }
    }

    fn first_failure(&self) -> Option<usize> {
        let mut steps = self.tape.steps();
        steps.position(|step| matches!(step.action, Action::FailedSync))
    }

    /// Cuts the power after the failure, now and then; says how often.
    fn cut_power(&self, seed: u64) -> Result<usize, String> {
        let Some(first_failure) = self.first_failure() else {
            return Ok(0);
        };
        let mut random = fastrand::Rng::with_seed(seed);
        let steps = self.tape.steps().count();
        let mut moments: Vec<usize> = (0..CUTS)
            .map(|_| random.usize(first_failure..steps))
            .chain([steps - 1])
            .collect();
        moments.sort_unstable();
        let found = Files::new();
        let (mut disk, mut promised, mut run) = (Disk::holding(&found), Promised::default(), 0);
        for (index, step) in self.tape.steps().enumerate() {
            disk.take(&step);
            hear(&mut promised, &mut run, &step);
            for _ in moments.iter().filter(|moment| **moment == index) {
                let luck = match random.bool() {
                    true => Luck::Nothing,
                    false => any_luck(&mut random),
                };
                let files = disk.after_power_cut(luck, &mut random);
                self.check(&files, &promised)
                    .map_err(|problem| format!("{problem}; at step {index} of {steps}"))?;
            }
        }
        Ok(moments.len())
    }

    fn check(&self, files: &Files, promised: &Promised) -> Result<(), String> {
        let folder = folder_with(files);
        let kept = read(&folder).and_then(|rows| promised.are_kept_by(&rows, due(self.promise)));
        kept.map_err(|problem| format!("{problem}; the evidence: {}", folder.keep().display()))
    }
}

/// Lets syncs fail in so many lives.
fn fail(lives: usize, promise: Promise, tail_rows: usize, nth: fn(&mut fastrand::Rng) -> usize) {
    let (mut cuts, mut problems) = (0, Vec::new());
    // Some lives end before the sync that is to fail.
    let spare = std::iter::repeat_with(|| fastrand::u64(..)).take(50);
    for (life, seed) in seeds(lives).into_iter().chain(spare).enumerate() {
        if life >= lives && cuts > 0 {
            break;
        }
        let nth = nth(&mut fastrand::Rng::with_seed(seed));
        let life = Life::of(seed, promise, nth, tail_rows);
        match life.cut_power(seed) {
            Ok(done) => cuts += done,
            Err(problem) => problems.push(format!("CRASH_TESTS_SEED={seed}: {problem}")),
        }
    }
    let failed = problems.len();
    assert!(
        failed == 0,
        "{failed} of {lives} lives lost something:\n{}",
        problems.join("\n")
    );
    assert!(cuts > 0, "nothing was tested");
}

/// While it records, some way in.
fn late(random: &mut fastrand::Rng) -> usize {
    random.usize(4..40)
}

/// While it opens its file, and a little after.
fn early(random: &mut fastrand::Rng) -> usize {
    random.usize(1..5)
}

#[test]
fn after_a_failed_sync_under_full_durability_no_row_is_answered_that_a_power_cut_takes() {
    fail(8, Promise::Full, FEW_TAIL_ROWS, late);
}

#[test]
fn after_a_failed_sync_without_a_merge_no_row_is_answered_that_a_power_cut_takes() {
    fail(5, Promise::Full, usize::MAX / 2, late);
}

#[test]
fn after_a_failed_sync_under_grouped_durability_a_flush_that_succeeds_is_true() {
    fail(8, Promise::Grouped, FEW_TAIL_ROWS, |random| {
        random.usize(2..12)
    });
}

#[test]
fn after_a_failed_sync_under_relaxed_durability_the_file_is_sound() {
    fail(4, Promise::Relaxed, FEW_TAIL_ROWS, |random| {
        random.usize(1..4)
    });
}

#[test]
fn a_file_whose_opening_fails_on_a_sync_may_be_opened_again() {
    for promise in [Promise::Full, Promise::Grouped] {
        fail(5, promise, FEW_TAIL_ROWS, early);
    }
}

#[test]
fn after_a_process_that_ended_on_failing_syncs_the_next_one_promises_nothing_that_a_power_cut_takes()
 {
    let (mut cuts, mut problems) = (0, Vec::new());
    for seed in seeds(6) {
        let promise = [Promise::Full, Promise::Grouped][seed as usize % 2];
        match Life::ended_by_failing_syncs(seed, promise).cut_power(seed) {
            Ok(done) => cuts += done,
            Err(problem) => problems.push(format!("CRASH_TESTS_SEED={seed}: {problem}")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(cuts > 0, "nothing was tested");
}
