//! Giving the pages of removed rows back to the file system, in steps.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::Failure;
use crate::write::connection::{Sync, WriteConnection};

/// Pages given back by one step.
const GIVE_PAGES_BACK: &str = "PRAGMA incremental_vacuum(128)";
/// How long, and how often, the end of a query is awaited that keeps the file from shrinking.
const PAUSE: Duration = Duration::from_millis(10);
const ATTEMPTS: u32 = 50;

/// The end of a removal under way.
#[derive(Default)]
pub(crate) enum Shrinking {
    #[default]
    GivePagesBack,
    /// The file is cut when the log has been copied into it as a whole.
    CutFile {
        attempts: u32,
        not_before: Option<Instant>,
    },
}

impl Shrinking {
    /// When the next step may be taken, if not at once.
    pub(crate) fn next_step_at(&self) -> Option<Instant> {
        match self {
            Self::GivePagesBack => None,
            Self::CutFile { not_before, .. } => *not_before,
        }
    }

    /// Takes one step; gives what is left to do.
    pub(crate) fn step(self, writer: &mut WriteConnection) -> Result<Option<Self>, Failure> {
        match self {
            Self::GivePagesBack => {
                let doing = "giving the pages of removed rows back";
                let next = writer.transaction(Sync::Later, doing, |writer| {
                    give_pages_back(&writer.connection)
                });
                next.map(Some)
            }
            Self::CutFile { attempts, .. } => cut_file(writer, attempts),
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

/// Pages of the file that hold nothing.
pub(crate) fn free_pages(connection: &Connection) -> rusqlite::Result<i64> {
    let mut free = connection.prepare_cached("PRAGMA freelist_count")?;
    free.query_row([], |r| r.get(0))
}

/// Queries have to leave the log for this. `None` when it is done, or not to be had: SQLite then does it with a later
/// commit.
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
