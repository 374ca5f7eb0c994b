//! Giving the pages of removed rows back to the file system, in steps.

use std::time::{Duration, Instant};

use aimdb_persistence_backend::StorageErrorKind;
use rusqlite::Connection;

use crate::error::Failure;
use crate::remove::size::free_pages;
use crate::write::connection::{Sync, WriteConnection};

/// Pages given back by one step.
const GIVE_PAGES_BACK: &str = "PRAGMA incremental_vacuum(128)";
/// A query may keep the file from shrinking. Its end is awaited so long, and so often.
const PAUSE: Duration = Duration::from_millis(10);
const ATTEMPTS: u32 = 50;

/// The last stage of a removal.
#[derive(Default)]
pub(crate) enum Shrinking {
    #[default]
    GivePagesBack,
    /// The file becomes shorter when all of the log has been copied into it.
    CutFile {
        attempts: u32,
        not_before: Option<Instant>,
    },
}

impl Shrinking {
    /// The next step is not taken before this time.
    pub(crate) fn not_before(&self) -> Option<Instant> {
        match self {
            Self::GivePagesBack => None,
            Self::CutFile { not_before, .. } => *not_before,
        }
    }

    /// Takes one step; gives what is left to do.
    pub(crate) fn step(self, writer: &mut WriteConnection) -> Result<Option<Self>, Failure> {
        let step = match self {
            Self::GivePagesBack => {
                let doing = "giving the pages of removed rows back";
                let next = writer.transaction(Sync::Later, doing, |writer| {
                    give_pages_back(&writer.connection)
                });
                next.map(Some)
            }
            Self::CutFile { attempts, .. } => cut_file(writer, attempts),
        };
        match step {
            // The rows are gone all the same, and the next removal gives their pages back.
            Err(failure) if failure.kind() == StorageErrorKind::Busy => Ok(None),
            step => step,
        }
    }
}

fn give_pages_back(connection: &Connection) -> rusqlite::Result<Shrinking> {
    let before = free_pages(connection)?;
    if before > 0 {
        let mut vacuum = connection.prepare_cached(GIVE_PAGES_BACK)?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
    }
    let after = free_pages(connection)?;
    Ok(if 0 < after && after < before {
        Shrinking::GivePagesBack
    } else {
        Shrinking::CutFile {
            attempts: 0,
            not_before: None,
        }
    })
}

/// This takes a moment without queries in the log. `None` when it is done, or when there was no such moment: SQLite then
/// does it with a later commit.
fn cut_file(writer: &mut WriteConnection, attempts: u32) -> Result<Option<Shrinking>, Failure> {
    let (log_pages, copied) = writer.copy_log()?;
    if log_pages == copied || attempts >= ATTEMPTS {
        return Ok(None);
    }
    Ok(Some(Shrinking::CutFile {
        attempts: attempts + 1,
        not_before: Some(Instant::now() + PAUSE),
    }))
}
