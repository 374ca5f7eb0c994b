//! Which files this program has open as histories.
//!
//! On Unix, closing any descriptor of a file takes away every lock that the program holds on it, SQLite's too. Other
//! programs then write into the file, or remove its log, while it is in use. So a file that is open here is read through
//! SQLite only.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::Connection;

use crate::error::{During, Failure};
use crate::file::identity::{self, DeviceAndNumber};

#[derive(Default)]
struct Uses {
    connections: usize,
    raw_readers: usize,
}

type Files = HashMap<(u64, u64), Uses>;

static FILES: LazyLock<Mutex<Files>> = LazyLock::new(Mutex::default);
static LET_GO: Condvar = Condvar::new();

/// While this is held, nothing in this program opens a history.
pub(crate) fn keep_closed() -> impl Sized {
    files()
}

/// Does something quick for which nothing of this program may have the file open; `None` if something has.
pub(crate) fn while_closed<T>(path: &Path, work: impl FnOnce() -> T) -> Option<T> {
    let files = files();
    let number = identity::of(path).ok()?;
    let is_open = |number| {
        files.get(&number).is_some_and(|uses| uses.connections > 0) || is_open_otherwise(number)
    };
    (!number.is_some_and(is_open)).then(work)
}

fn files() -> MutexGuard<'static, Files> {
    // Each change is a single step.
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that a connection is open. To be dropped after it.
pub(crate) struct OpenHere(DeviceAndNumber);

impl OpenHere {
    /// Opens a connection to the file at the path, unless the file is being read past SQLite.
    pub(crate) fn open(
        path: &Path,
        open: impl Fn() -> rusqlite::Result<Connection>,
    ) -> Result<(Connection, Self), Failure> {
        let doing = "opening it";
        let mut files = files();
        loop {
            let before = identity::of(path).during(path, doing)?;
            if before.is_some_and(|file| files.get(&file).is_some_and(|uses| uses.raw_readers > 0))
            {
                let what = "this program is salvaging it; open it when that has ended";
                return Err(Failure::new(StorageErrorKind::Busy, path, what));
            }
            let connection = open().during(path, doing)?;
            // Another program may have put another file there in between.
            if identity::of(path).during(path, doing)? == before {
                if let Some(file) = before {
                    files.entry(file).or_default().connections += 1;
                }
                return Ok((connection, Self(before)));
            }
        }
    }
}

impl Drop for OpenHere {
    fn drop(&mut self) {
        let_go(self.0, |uses| uses.connections -= 1);
    }
}

/// Says that a file is read past SQLite: nothing in this program opens it as a history meanwhile.
pub(crate) struct ReadRaw(DeviceAndNumber);

impl ReadRaw {
    /// Waits for connections that are being closed, for so long.
    pub(crate) fn lease(path: &Path, patience: Duration) -> Result<Self, Failure> {
        let file = identity::of(path).during(path, "reading it")?;
        let Some(number) = file else {
            return Ok(Self(None)); // closing a file takes no lock away on this system
        };
        let deadline = Instant::now() + patience;
        let mut files = files();
        while files.get(&number).is_some_and(|uses| uses.connections > 0) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let what = "this program has it open as a history: close that first, or copy it with `backup_to`";
                return Err(Failure::new(StorageErrorKind::Busy, path, what));
            }
            let waited = LET_GO.wait_timeout(files, left);
            files = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if is_open_otherwise(number) {
            let what = "a part of this program other than a history has it open; close that first";
            return Err(Failure::new(StorageErrorKind::Busy, path, what));
        }
        files.entry(number).or_default().raw_readers += 1;
        Ok(Self(file))
    }
}

impl Drop for ReadRaw {
    fn drop(&mut self) {
        let_go(self.0, |uses| uses.raw_readers -= 1);
    }
}

fn let_go(file: DeviceAndNumber, end: impl FnOnce(&mut Uses)) {
    let Some(file) = file else { return };
    let mut files = files();
    if let Some(uses) = files.get_mut(&file) {
        end(uses);
        if uses.connections == 0 && uses.raw_readers == 0 {
            files.remove(&file);
        }
    }
    LET_GO.notify_all();
}

/// Whether any descriptor of this program is the file's, whoever opened it.
#[cfg(target_os = "linux")]
fn is_open_otherwise(file: (u64, u64)) -> bool {
    let descriptors = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    descriptors
        .flatten()
        .any(|descriptor| identity::of(&descriptor.path()).is_ok_and(|found| found == Some(file)))
}

#[cfg(not(target_os = "linux"))]
fn is_open_otherwise(_file: (u64, u64)) -> bool {
    false
}
