//! An open connection, and what this program has to know of it as long as it is open.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rusqlite::{Connection, ErrorCode, ffi};

use crate::file::open_here::OpenHere;
use crate::file::paths::{Made, log_of, with_suffix};

/// Of connections that are closed at the same moment each finds the other still there, and none removes the log.
static CLOSING: Mutex<()> = Mutex::new(());

pub(crate) struct Opened {
    /// Until it is closed.
    connection: Option<Connection>,
    /// Dropped after the connection.
    _here: Option<OpenHere>,
    closes_in_turn: bool,
    /// `None` where SQLite's locks protect what is read.
    unlocked: Option<AsFound>,
    made: Option<Made>,
    /// `None` where there was no file.
    last_written: Option<SystemTime>,
}

impl Opened {
    pub(crate) fn in_memory(connection: Connection) -> Self {
        Self {
            connection: Some(connection),
            _here: None,
            closes_in_turn: false,
            unlocked: None,
            made: None,
            last_written: None,
        }
    }

    pub(crate) fn of_file((connection, here): (Connection, OpenHere)) -> Self {
        Self {
            connection: Some(connection),
            _here: Some(here),
            closes_in_turn: false,
            unlocked: None,
            made: None,
            last_written: None,
        }
    }

    /// Others of this program are closed at the same time, and the last one is to remove the log.
    pub(crate) fn closed_in_turn(mut self) -> Self {
        self.closes_in_turn = true;
        self
    }

    /// Its locks cannot be had: it holds for the file as it was found.
    pub(crate) fn unlocked(mut self, as_found: AsFound) -> Self {
        self.unlocked = Some(as_found);
        self
    }

    /// There was no history before.
    pub(crate) fn with_new_history(mut self, made: Made) -> Self {
        self.made = Some(made);
        self
    }

    /// When the file or its log had last been written, before this connection was opened.
    pub(crate) fn found_written_at(mut self, time: Option<SystemTime>) -> Self {
        self.last_written = time;
        self
    }

    pub(crate) fn last_written(&self) -> Option<SystemTime> {
        self.last_written
    }

    pub(crate) fn new_history(&self) -> Option<&Made> {
        self.made.as_ref()
    }

    /// Whether what it reads without locks may have been changed.
    pub(crate) fn is_outdated(&self) -> bool {
        let as_found = self.unlocked.as_ref();
        as_found.is_some_and(|found| AsFound::now(&found.path) != *found)
    }

    /// To be called after reading, before what was read is used.
    pub(crate) fn vouch(&self) -> rusqlite::Result<()> {
        if !self.is_outdated() {
            return Ok(());
        }
        let busy = ffi::Error {
            code: ErrorCode::DatabaseBusy,
            extended_code: ffi::SQLITE_BUSY,
        };
        let what = "the file was changed while it was read without locks";
        Err(rusqlite::Error::SqliteFailure(busy, Some(what.to_owned())))
    }

    pub(crate) fn close(mut self) -> rusqlite::Result<()> {
        let closed = self.connection.take().map(Connection::close);
        // One that cannot be closed is dropped before it counts as closed.
        closed.map_or(Ok(()), |closed| closed.map_err(|(_, error)| error))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _turn = self
            .closes_in_turn
            .then(|| CLOSING.lock().unwrap_or_else(PoisonError::into_inner));
        drop(self.connection.take());
    }
}

const IS_OPEN: &str = "it is closed when this is dropped";

impl Deref for Opened {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect(IS_OPEN)
    }
}

impl DerefMut for Opened {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect(IS_OPEN)
    }
}

/// What is known of a file and its log without opening them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AsFound {
    path: PathBuf,
    file: Stamp,
    log: Stamp,
    has_index: bool,
}

/// Length and time of the last change; `None` where there is no file.
type Stamp = Option<(u64, Option<SystemTime>)>;

impl AsFound {
    pub(crate) fn now(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: stamp(path),
            log: stamp(&log_of(path)),
            has_index: with_suffix(path, "-shm").exists(),
        }
    }

    /// When the file or its log was last written.
    pub(crate) fn last_written(&self) -> Option<SystemTime> {
        let stamps = [self.file, self.log].into_iter().flatten();
        stamps.filter_map(|(_, modified)| modified).max()
    }

    /// Whether a recorder has it open, or has ended without closing it.
    pub(crate) fn is_in_use(&self) -> bool {
        self.log_has_content() && self.has_index
    }

    /// Whether somebody has written into the log.
    pub(crate) fn log_has_content(&self) -> bool {
        self.log.is_some_and(|(bytes, _)| bytes > 0)
    }
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.len(), found.modified().ok()))
}
