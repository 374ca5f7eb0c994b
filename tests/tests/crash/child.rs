//! The recording process, as its parent sees it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use aimdb_persistence_tests::crash::{Assignment, Report};

/// Does not come back before the child has ended.
pub(crate) fn command(assignment: &Assignment) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recording_child"));
    command.arg(serde_json::to_string(assignment).expect("an assignment is JSON"));
    command
}

/// A process that records until it is killed.
pub(crate) struct Recording {
    process: Child,
    lines: BufReader<ChildStdout>,
    reports: Vec<Report>,
}

impl Recording {
    pub(crate) fn start(assignment: &Assignment) -> Self {
        let mut process = command(assignment)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped"));
        Self {
            process,
            lines,
            reports: Vec::new(),
        }
    }

    pub(crate) fn wait_until_ready(&mut self) {
        while self.reports.last() != Some(&Report::Ready) {
            assert!(
                self.hear(),
                "the child has ended: {:?}",
                self.process.wait()
            );
        }
    }

    /// Takes down a line; false at the end.
    fn hear(&mut self) -> bool {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("lines are UTF-8");
        // A line without an end was under way when the process was killed.
        let Some(line) = line.strip_suffix('\n') else {
            return false;
        };
        self.reports
            .push(serde_json::from_str(line).expect("a report"));
        true
    }

    /// Kills the process after so long; returns everything that it has reported.
    pub(crate) fn kill_after(mut self, time: Duration) -> Vec<Report> {
        use std::os::unix::process::ExitStatusExt;
        std::thread::sleep(time);
        self.process.kill().expect("it is there to be killed");
        while self.hear() {}
        let status = self.process.wait().expect("it has ended");
        assert_eq!(
            status.signal(),
            Some(9),
            "it was not the kill that ended it: {status}"
        );
        self.reports
    }
}

/// Copies the database and its logs, which nobody writes meanwhile. Not the log's index: it is made anew.
pub(crate) fn copy_database(from: &Path, to: &Path) {
    for suffix in ["", "-wal", "-journal"] {
        let with_suffix = |path: &Path| format!("{}{suffix}", path.display());
        if Path::new(&with_suffix(from)).exists() {
            std::fs::copy(with_suffix(from), with_suffix(to)).expect("a copy");
        }
    }
}
