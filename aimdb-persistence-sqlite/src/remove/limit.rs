//! Watching over the size of the file.

use std::time::Instant;

use rusqlite::Connection;

use crate::error::Failure;
use crate::remove::evict::{Evicted, Eviction};
use crate::remove::shrink::free_pages;
use crate::report;
use crate::threads::keeper::Health;
use crate::write::connection::WriteConnection;

/// How large the file may be, in pages. What counts are those that hold something: free ones are filled before the file
/// grows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    most: i64,
}

impl Size {
    fn of(connection: &Connection, max_bytes: u64) -> rusqlite::Result<Self> {
        let mut page_bytes = connection.prepare_cached("PRAGMA page_size")?;
        let page_bytes: i64 = page_bytes.query_row([], |r| r.get(0))?;
        Ok(Self {
            most: i64::try_from(max_bytes).unwrap_or(i64::MAX) / page_bytes,
        })
    }

    /// From here on rows are removed: room is left for the commits that come meanwhile.
    fn begins(self) -> i64 {
        self.most - self.most / 16
    }

    /// Whether enough has been removed.
    pub(crate) fn is_far_from(self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(used_pages(connection)? <= self.most - self.most / 8)
    }

    /// Whether the file itself is larger, free pages and all.
    pub(crate) fn is_exceeded_by(self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(pages(connection)? > self.most)
    }
}

fn used_pages(connection: &Connection) -> rusqlite::Result<i64> {
    Ok(pages(connection)? - free_pages(connection)?)
}

fn pages(connection: &Connection) -> rusqlite::Result<i64> {
    let mut pages = connection.prepare_cached("PRAGMA page_count")?;
    pages.query_row([], |r| r.get(0))
}

/// Has the oldest rows removed when the file is nearly as large as it may be.
pub(crate) struct Limit {
    max_bytes: u64,
    health: Health,
    eviction: Option<Eviction>,
    /// While rows are removed, no more pages are used than this: what a commit takes is freed before the next one.
    level: i64,
    /// Pages that were used when nothing more could be removed.
    exhausted_at: Option<i64>,
    failure_is_reported: bool,
}

impl Limit {
    pub(crate) fn new(max_bytes: u64, health: Health) -> Self {
        Self {
            max_bytes,
            health,
            eviction: None,
            level: i64::MAX,
            exhausted_at: None,
            failure_is_reported: false,
        }
    }

    /// When the next step may be taken; `None` while nothing is to be removed.
    pub(crate) fn next_step_at(&self) -> Option<Instant> {
        let eviction = self.eviction.as_ref()?;
        Some(eviction.next_step_at().unwrap_or_else(Instant::now))
    }

    /// Takes one step, if there is one to take. Says whether stores have to wait for the next one.
    pub(crate) fn step(&mut self, writer: &mut WriteConnection) -> bool {
        if self.next_step_at().is_some_and(|at| at > Instant::now()) {
            return false;
        }
        match self.try_step(writer) {
            Ok(has_to_wait) => {
                self.failure_is_reported = false;
                has_to_wait
            }
            // It begins anew.
            Err(failure) if writer.make_room(&failure) => true,
            Err(failure) => {
                // It begins anew with the next commit.
                self.eviction = None;
                if !std::mem::replace(&mut self.failure_is_reported, true) {
                    report::warn(&format!("{failure}; the file grows on meanwhile"));
                }
                false
            }
        }
    }

    fn try_step(&mut self, writer: &mut WriteConnection) -> Result<bool, Failure> {
        let path = writer.path.clone();
        let failed = |error| Failure::of_sqlite(&path, "watching its size", error);
        let size = Size::of(&writer.connection, self.max_bytes).map_err(failed)?;
        let used = used_pages(&writer.connection).map_err(failed)?;
        let eviction = match self.eviction.take() {
            Some(eviction) => eviction,
            None if used > size.begins() && self.may_find_rows(used, size) => {
                self.level = used;
                Eviction::begin(size)
            }
            None => return Ok(false),
        };
        match eviction.step(writer, &self.health)? {
            Evicted::NotYet(eviction) => {
                self.eviction = Some(eviction);
                let has_to_wait = used > self.level;
                self.level = self.level.min(used);
                Ok(has_to_wait)
            }
            Evicted::Enough => {
                writer.restore_reserve();
                self.exhausted_at = None;
                Ok(false)
            }
            Evicted::All => {
                let used = used_pages(&writer.connection).map_err(failed)?;
                self.exhausted_at = Some(used);
                Ok(false)
            }
        }
    }

    /// Not where all that may be removed has been, and hardly anything has come since.
    fn may_find_rows(&self, used: i64, size: Size) -> bool {
        self.exhausted_at
            .is_none_or(|at| used < at || used - at > size.most / 64)
    }
}
