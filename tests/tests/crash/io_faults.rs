//! Whatever call of the file system fails, once or for ever: what was said to be stored is there afterwards, the file is
//! sound, and the program neither hangs nor panics. Who looks is SQLite itself, on a copy, and none of our code.

use std::process::Stdio;
use std::time::{Duration, Instant};

use aimdb_persistence_tests::crash::{Assignment, Ending, FEW_TAIL_ROWS, Promise, Report};

use crate::child::{command, copy_database};
use crate::history::{self, Due, Promised};
use crate::seeds;

const EIO: i32 = 5;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
/// In place of an error.
const SHORT_COUNT: i32 = 0;

/// A child that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// What may fail, and how.
const KINDS: [(&str, &[i32]); 7] = [
    ("open", &[EIO, EMFILE]),
    ("read", &[EIO, SHORT_COUNT]),
    ("write", &[EIO, ENOSPC, SHORT_COUNT]),
    ("sync", &[EIO, ENOSPC]),
    ("truncate", &[EIO]),
    ("unlink", &[EIO]),
    ("rename", &[EIO]),
];

fn fault(random: &mut fastrand::Rng, (kind, errors): (&str, &[i32])) -> String {
    let error = errors[random.usize(0..errors.len())];
    let nth = match random.u8(0..3) {
        0 => random.usize(1..10),
        1 => random.usize(10..60),
        _ => random.usize(60..400),
    };
    // For ever, once, or a few times.
    let times = [0, 1, 1, 1, 4][random.usize(0..5)];
    let name = ["-wal", ".db"][random.usize(0..2)];
    format!("{kind}:{nth}:{times}:{error}:{name}")
}

/// Two processes record into one file, one after the other; calls of the first fail. Says what was promised.
fn live(seed: u64, kind: (&str, &[i32])) -> Result<u64, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    let fault = fault(&mut random, kind);
    let durability = [
        Promise::Full,
        Promise::Full,
        Promise::Grouped,
        Promise::Relaxed,
    ][random.usize(0..4)];
    let mut promised = Promised::default();
    for (run, faults) in [(0, fault.clone()), (1, String::new())] {
        let assignment = Assignment {
            path: path.clone(),
            writer: 0,
            run,
            seed: random.u64(..),
            durability,
            steps: random.usize(10..30),
            flushes: true,
            ending: Ending::Flushed,
            tail_rows: [FEW_TAIL_ROWS, 10_000][random.usize(0..2)],
            chunk_rows: None,
            quarantine: false,
            faults,
        };
        for report in run_child(&assignment).map_err(|problem| format!("{fault}: {problem}"))? {
            promised.hear(0, run, &report);
        }
    }
    let copy = tempfile::tempdir().expect("a folder");
    let of_copy = copy.path().join("history.db");
    copy_database(&path, &of_copy);
    let checked = history::read_plainly(&of_copy);
    checked
        .and_then(|rows| promised.are_kept_by(&rows, Due::Stored))
        .map_err(|problem| {
            let evidence = copy.keep();
            format!("{fault}: {problem}; the evidence: {}", evidence.display())
        })?;
    Ok(promised.rows())
}

fn run_child(assignment: &Assignment) -> Result<Vec<Report>, String> {
    let may_fail = !assignment.faults.is_empty();
    let beside = tempfile::tempdir().expect("a folder");
    let said = beside.path().join("said");
    let out = std::fs::File::create(&said).expect("a file");
    let mut command = command(assignment);
    if may_fail {
        command
            .env("LD_PRELOAD", env!("TAPE_LIBRARY"))
            .env("FAULTS", &assignment.faults)
            .env("FAULTS_FOLDER", assignment.path.parent().expect("a folder"))
            .stderr(Stdio::null());
    }
    let mut child = command.stdout(out).spawn().expect("the child starts");
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("it is there to be killed");
            child.wait().expect("it ends");
            return Err("it hangs".to_owned());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    // What keeps the first process from opening its file is an error; everything else goes on.
    let has_ended = status.success() || (may_fail && status.code() == Some(1));
    if !has_ended {
        return Err(format!("run {} ended: {status}", assignment.run));
    }
    let said = std::fs::read_to_string(said).expect("lines");
    let lines = said.lines();
    Ok(lines
        .map(|line| serde_json::from_str(line).expect("a report"))
        .collect())
}

#[test]
fn whichever_call_of_the_file_system_fails_what_was_said_to_be_stored_is_there() {
    let (mut promised, mut problems, mut lives) = (0, Vec::new(), 0);
    for kind in KINDS {
        for seed in seeds(2) {
            lives += 1;
            match live(seed, kind) {
                Ok(rows) => promised += rows,
                Err(problem) => problems.push(format!("CRASH_TESTS_SEED={seed}: {problem}")),
            }
        }
    }
    let failed = problems.len();
    assert!(
        failed == 0,
        "{failed} of {lives} lives went wrong:\n{}",
        problems.join("\n")
    );
    assert!(promised > lives, "{promised} rows: nothing was tested");
}

/// One process leaves a history of some size; the next one meets a read that fails, once or a few times.
fn live_with_a_failing_read(seed: u64) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    let (nth, times) = (random.usize(1..40), random.usize(1..3));
    let faults = format!("read:{nth}:{times}:{EIO}:.db");
    let mut promised = Promised::default();
    for (run, of_run) in [(0, ""), (1, &*faults)] {
        let assignment = Assignment {
            path: path.clone(),
            writer: 0,
            run,
            seed: random.u64(..),
            durability: Promise::Full,
            steps: 60,
            flushes: true,
            ending: [Ending::Closed, Ending::Flushed][run as usize],
            tail_rows: FEW_TAIL_ROWS,
            chunk_rows: None,
            quarantine: true,
            faults: of_run.to_owned(),
        };
        for report in run_child(&assignment)? {
            if let Report::Lost(lost @ 1..) = report {
                return Err(format!("{faults}: {lost} values are lost"));
            }
            promised.hear(0, run, &report);
        }
    }
    let entries = std::fs::read_dir(folder.path()).expect("a folder");
    for entry in entries {
        let name = entry.expect("an entry").file_name();
        if name.to_string_lossy().contains(".corrupt-") {
            return Err(format!("{faults}: a sound file was set aside"));
        }
    }
    let rows = history::read_plainly(&path)?;
    promised.are_kept_by(&rows, Due::Stored)
}

#[test]
fn a_read_that_the_disk_refuses_for_a_moment_loses_no_value_and_sets_no_sound_file_aside() {
    let problems: Vec<_> = seeds(5)
        .into_iter()
        .filter_map(|seed| {
            let problem = live_with_a_failing_read(seed).err()?;
            Some(format!("CRASH_TESTS_SEED={seed}: {problem}"))
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
