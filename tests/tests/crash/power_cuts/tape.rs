//! What a process has asked of the files in its folder, and what it has reported meanwhile, in one order: as
//! `src/crash/tape.c` has written it down.

use std::path::Path;
use std::process::{Command, Stdio};

use aimdb_persistence_tests::crash::{Assignment, Report};

use crate::child;

/// The steps of a process.
pub(crate) struct Tape(Vec<u8>);

/// A step, and the file that it is about: by its name in the folder, which itself has none.
pub(crate) struct Step<'a> {
    pub(crate) name: &'a str,
    pub(crate) action: Action<'a>,
}

pub(crate) enum Action<'a> {
    Write {
        offset: usize,
        bytes: &'a [u8],
    },
    Truncate {
        length: usize,
    },
    Sync,
    /// It failed, and what was written since the last one is not on its way to the disk any more.
    FailedSync,
    Unlink,
    Rename {
        to: &'a str,
    },
    /// Written to the standard output.
    Report(Vec<Report>),
}

/// The process with its steps written down beside its folder.
pub(crate) fn command(assignment: &Assignment, tape: &Path) -> Command {
    let mut command = child::command(assignment);
    command
        .env("FAULTS", &assignment.faults)
        .env("LD_PRELOAD", env!("TAPE_LIBRARY"))
        .env("TAPE", tape)
        .env("TAPE_FOLDER", assignment.path.parent().expect("a folder"))
        .stdout(Stdio::null());
    command
}

impl Tape {
    /// Runs one process after the other to its end. One whose calls may fail may end with an error.
    pub(crate) fn record(assignments: &[Assignment]) -> Self {
        let beside = tempfile::tempdir().expect("a folder");
        let path = beside.path().join("tape");
        for assignment in assignments {
            let mut command = command(assignment, &path);
            let may_fail = !assignment.faults.is_empty();
            if may_fail {
                // It says that it met what it was meant to meet.
                command.stderr(Stdio::null());
            }
            let status = command.status().expect("the child starts");
            let ended = status.success() || (may_fail && status.code() == Some(1));
            assert!(ended, "the child failed: {status}; {assignment:?}");
        }
        Self::read(&path)
    }

    /// What has been written down so far.
    pub(crate) fn read(path: &Path) -> Self {
        Self(std::fs::read(path).unwrap_or_default())
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || take_step(&mut rest))
    }

    pub(crate) fn says(&self, report: &Report) -> bool {
        self.steps()
            .any(|step| matches!(step.action, Action::Report(reports) if reports.contains(report)))
    }
}

/// `None` at the end, and where the rest of the step is still being written down.
fn take_step<'a>(tape: &mut &'a [u8]) -> Option<Step<'a>> {
    let kind = take_number(tape, 4)?;
    let name_bytes = take_number(tape, 4)?;
    let offset = take_number(tape, 8)?;
    let data_bytes = take_number(tape, 8)?;
    let name = take(tape, name_bytes)?;
    let bytes = take(tape, data_bytes)?;
    let action = match u8::try_from(kind).expect("a letter") {
        b'W' => Action::Write { offset, bytes },
        b'T' => Action::Truncate { length: offset },
        b'S' => Action::Sync,
        b'F' => Action::FailedSync,
        b'N' => Action::Rename {
            to: std::str::from_utf8(bytes).expect("a name"),
        },
        b'U' => Action::Unlink,
        b'R' => Action::Report(reports(bytes)),
        other => panic!("there is no step `{}`", char::from(other)),
    };
    Some(Step {
        name: std::str::from_utf8(name).expect("a name"),
        action,
    })
}

fn reports(lines: &[u8]) -> Vec<Report> {
    assert!(lines.ends_with(b"\n"), "a report is written line by line");
    let lines = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).expect("a report"))
        .collect()
}

fn take<'a>(tape: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (taken, rest) = tape.split_at_checked(bytes)?;
    *tape = rest;
    Some(taken)
}

/// As the machine that recorded it, which is this one, lays numbers out.
fn take_number(tape: &mut &[u8], bytes: usize) -> Option<usize> {
    let mut number = [0; 8];
    let end = if cfg!(target_endian = "little") {
        0..bytes
    } else {
        8 - bytes..8
    };
    number[end].copy_from_slice(take(tape, bytes)?);
    Some(usize::from_ne_bytes(number))
}
