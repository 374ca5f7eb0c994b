//! Parting from a file that does not lie at its path any more: what belongs to it goes with it, and nothing of it stays
//! beside the file that lies there now.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::{During, Failure};
use crate::file::identity::FileIdentity;
use crate::file::log::Log;
use crate::file::paths::{log_of, with_suffix};
use crate::report;

/// Readers leave the log in so short a time, if they do.
const PAUSE: Duration = Duration::from_millis(2);

/// The log and its index, as they lay beside the file when it was opened.
pub(crate) struct Beside {
    path: PathBuf,
    log: FileIdentity,
    index: FileIdentity,
}

impl Beside {
    pub(crate) fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            log: FileIdentity::of(&log_of(path)),
            index: FileIdentity::of(&with_suffix(path, "-shm")),
        }
    }

    /// Whether the log that lies at its path is still the one that was there.
    pub(crate) fn has_its_log(&self) -> bool {
        self.log.is_known() && !self.log.is_lost()
    }

    /// Copies the log into the file, wherever that lies by now, and removes it from the place that is another file's.
    /// SQLite would take it for that file's log. What cannot be copied is set aside; gives its name.
    pub(crate) fn part(
        &self,
        log: &mut Log,
        connection: &Connection,
        patience: Duration,
    ) -> Option<PathBuf> {
        let copied = copy_all(log, connection, patience);
        let aside = match copied {
            Ok(()) => None,
            Err(failure) => {
                report::warn(&format!("{failure}; its log is set aside"));
                Some(with_suffix(
                    &self.path,
                    &format!("-wal.lost-{}", std::process::id()),
                ))
            }
        };
        let cleared = self.clear(aside.as_deref());
        if let Err(failure) =
            cleared.during(&self.path, "removing the log of the file that lay there")
        {
            report::warn(&failure.to_string());
        }
        aside
    }

    fn clear(&self, aside: Option<&Path>) -> io::Result<()> {
        // A file of this name that came with the file that lies there now is that file's.
        if self.index.is_known() && !self.index.is_lost() {
            fs::remove_file(with_suffix(&self.path, "-shm"))?;
        }
        if !self.has_its_log() {
            return Ok(());
        }
        match aside {
            None => fs::remove_file(log_of(&self.path)),
            Some(aside) => fs::rename(log_of(&self.path), aside),
        }
    }
}

/// Waits for readers, for so long.
fn copy_all(log: &mut Log, connection: &Connection, patience: Duration) -> Result<(), Failure> {
    let deadline = Instant::now() + patience;
    loop {
        let (frames, copied) = log.copy(connection)?;
        if frames == copied {
            return Ok(());
        }
        if Instant::now() > deadline {
            let busy = "a query or a backup keeps its log from being copied into it";
            let kind = aimdb_persistence_backend::StorageErrorKind::Busy;
            return Err(Failure::new(kind, log.database(), busy));
        }
        std::thread::sleep(PAUSE);
    }
}
