//! Tests that take a second process: another program, or a user who may not do everything.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Tells a process which file it is to work on.
const PATH: &str = "AIMDB_TEST_HISTORY";

/// What another process was started for; `None` in the first one.
pub(crate) fn path_given() -> Option<PathBuf> {
    std::env::var_os(PATH).map(PathBuf::from)
}

/// Runs a test again as a user who is not root, if this process is root; whether it did. No permission holds root back.
pub(crate) fn is_run_as_ordinary_user(test: &str) -> bool {
    let is_root = is_root();
    if is_root {
        run(only(&mut as_nobody(), test), test);
    }
    is_root
}

/// Runs this test with the path as a user who is not its owner, where this process may do that, and else as this user.
pub(crate) fn run_as_another_user(test: &str, path: &Path) {
    match is_root() {
        true => run(only(&mut as_nobody(), test).env(PATH, path), test),
        false => run_elsewhere(test, path),
    }
}

/// Another process that runs this test with the path, to its end.
pub(crate) fn run_elsewhere(test: &str, path: &Path) {
    let mut command = Command::new(this_program());
    run(only(&mut command, test).env(PATH, path), test);
}

fn is_root() -> bool {
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}

fn as_nobody() -> Command {
    let mut command = Command::new("setpriv");
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    command.args(nobody).arg(this_program());
    command
}

fn run(command: &mut Command, test: &str) {
    let output = command.output();
    let output = output.expect("root needs `setpriv` (util-linux) to run tests as another user");
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "elsewhere: {told}\n{errors}");
    assert!(told.contains("1 passed"), "there is no test {test}: {told}");
}

/// Another process that runs this test with the path; it goes on until its standard input is closed.
pub(crate) struct Elsewhere(Child);

impl Elsewhere {
    /// Waits until it says that it is ready.
    pub(crate) fn start(test: &str, path: &Path) -> Self {
        let mut command = Command::new(this_program());
        let child = only(&mut command, test)
            .env(PATH, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let mut started = Self(child.unwrap());
        while !ready(path).exists() {
            assert_eq!(started.0.try_wait().unwrap(), None, "it ended too early");
            std::thread::yield_now();
        }
        fs::remove_file(ready(path)).unwrap();
        started
    }

    pub(crate) fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// To be called by the other process.
pub(crate) fn be_ready_until_told_to_end(path: &Path) {
    fs::write(ready(path), "").unwrap();
    std::io::read_to_string(std::io::stdin()).unwrap();
}

fn ready(path: &Path) -> PathBuf {
    // Beside the folder of the history, which may be sealed.
    path.parent().unwrap().with_extension("ready")
}

fn only<'a>(command: &'a mut Command, test: &str) -> &'a mut Command {
    command.args(["--exact", test, "--nocapture", "--test-threads=1"])
}

fn this_program() -> impl AsRef<OsStr> {
    std::env::current_exe().unwrap()
}
