//! Keeping the file within its size.

use std::time::Instant;

use crate::error::{During, Failure};
use crate::health::Health;
use crate::remove::evict::{Evicted, Eviction};
use crate::remove::size::{Size, used_pages};
use crate::report;
use crate::write::chore::Chore;
use crate::write::connection::WriteConnection;

/// Removes the oldest rows when the file is nearly as large as it may be.
pub(crate) struct Limit {
    max_bytes: u64,
    health: Health,
    eviction: Option<Eviction>,
    /// Pages that may be used while rows are removed: what a commit takes is freed before the next one.
    level: i64,
    /// More pages are used than that.
    is_behind: bool,
    /// The commits of the connection after which the size was checked last.
    checked_after: Option<u64>,
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
            is_behind: false,
            checked_after: None,
            exhausted_at: None,
            failure_is_reported: false,
        }
    }

    /// Says whether stores have to wait for the next step.
    fn try_step(&mut self, writer: &mut WriteConnection) -> Result<bool, Failure> {
        let doing = "checking its size";
        let size = Size::of(&writer.connection, self.max_bytes).during(writer.path(), doing)?;
        let used = used_pages(&writer.connection).during(writer.path(), doing)?;
        let eviction = match self.eviction.take() {
            Some(eviction) => eviction,
            None if used > size.removal_begins_at() && self.may_find_rows(used, size) => {
                self.level = used;
                Eviction::begin(size)
            }
            None => return Ok(false),
        };
        match eviction.step(writer, &self.health)? {
            Evicted::NotYet(eviction) => {
                self.eviction = Some(eviction);
                let is_behind = used > self.level;
                self.level = self.level.min(used);
                Ok(is_behind)
            }
            Evicted::Enough => {
                writer.restore_reserve();
                self.exhausted_at = None;
                Ok(false)
            }
            Evicted::All => {
                let used = used_pages(&writer.connection).during(writer.path(), doing)?;
                self.exhausted_at = Some(used);
                Ok(false)
            }
        }
    }

    /// Not if all that may be removed has been removed, and hardly anything has been stored since.
    fn may_find_rows(&self, used: i64, size: Size) -> bool {
        self.exhausted_at
            .is_none_or(|at| used < at || used - at > size.hardly_any())
    }
}

impl Chore for Limit {
    fn due(&self, writer: &WriteConnection) -> Option<Instant> {
        match &self.eviction {
            Some(eviction) => Some(eviction.not_before().unwrap_or_else(Instant::now)),
            None => self.precedes_stores(writer).then(Instant::now),
        }
    }

    /// The size is checked after each commit, before the next one.
    fn precedes_stores(&self, writer: &WriteConnection) -> bool {
        self.is_behind || self.checked_after != Some(writer.commits())
    }

    fn step(&mut self, writer: &mut WriteConnection) {
        self.is_behind = match self.try_step(writer) {
            Ok(is_behind) => {
                self.failure_is_reported = false;
                is_behind
            }
            // It begins again at once.
            Err(failure) if writer.make_room(&failure) => true,
            Err(failure) => {
                // It begins again with the next commit.
                self.eviction = None;
                if !std::mem::replace(&mut self.failure_is_reported, true) {
                    report::warn(&format!("{failure}; the file grows on meanwhile"));
                }
                false
            }
        };
        self.checked_after = Some(writer.commits());
    }
}
