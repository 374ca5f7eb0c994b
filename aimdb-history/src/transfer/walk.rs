//! Two series side by side, in order of time.

use std::collections::{HashMap, VecDeque};

use aimdb_persistence_backend::{Pattern, Rows};

use crate::error::HistoryError;
use crate::location::OpenHistory;
use crate::question::{Pages, Selection};

/// A row without its series.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) stored_at: u64,
    pub(crate) version: u32,
    pub(crate) json: String,
}

/// What one side has and the other has not, of one time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Only the source has these.
    pub(crate) missing: Vec<Entry>,
    /// Only the target has so many.
    pub(crate) foreign: u64,
}

/// The rows of one series in a source and a target, from a time on.
pub(crate) struct Walk {
    source: ByTime,
    target: ByTime,
    /// The newest time that the source has shown.
    pub(crate) newest_ms: Option<u64>,
}

impl Walk {
    pub(crate) fn new(
        source: &OpenHistory,
        target: &OpenHistory,
        record_name: &str,
        from_ms: Option<u64>,
    ) -> Self {
        Self {
            source: ByTime::of(source, record_name, from_ms),
            target: ByTime::of(target, record_name, from_ms),
            newest_ms: None,
        }
    }

    /// The next time of which there are rows on either side, and what differs in it. `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Difference>, HistoryError> {
        let (source, target) = (self.source.time().await?, self.target.time().await?);
        self.newest_ms = self.newest_ms.max(source);
        let Some(at) = source.into_iter().chain(target).min() else {
            return Ok(None);
        };
        let mut missing = match source == Some(at) {
            true => self.source.take_time(at).await?,
            false => Vec::new(),
        };
        let found = match target == Some(at) {
            true => self.target.take_time(at).await?,
            false => Vec::new(),
        };
        let mut foreign = HashMap::<Entry, u64>::new();
        for entry in found {
            *foreign.entry(entry).or_default() += 1;
        }
        // What stands on both sides as often is no difference.
        missing.retain(|entry| match foreign.get_mut(entry) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        });
        Ok(Some(Difference {
            missing,
            foreign: foreign.values().sum(),
        }))
    }
}

/// The rows of one series, time by time.
struct ByTime {
    pages: Pages,
    read: VecDeque<Entry>,
}

impl ByTime {
    fn of(history: &OpenHistory, record_name: &str, from_ms: Option<u64>) -> Self {
        let mut selection = Selection::of(Pattern::exact(record_name));
        selection.from_ms = from_ms;
        Self {
            pages: selection.read(history),
            read: VecDeque::new(),
        }
    }

    async fn time(&mut self) -> Result<Option<u64>, HistoryError> {
        while self.read.is_empty() {
            match self.pages.next().await? {
                Some(page) => self.take_in(&page),
                None => return Ok(None),
            }
        }
        Ok(self.read.front().map(|entry| entry.stored_at))
    }

    fn take_in(&mut self, page: &Rows) {
        self.read.extend(page.iter().map(|row| Entry {
            stored_at: row.stored_at,
            version: row.version,
            json: row.json.to_owned(),
        }));
    }

    async fn take_time(&mut self, at: u64) -> Result<Vec<Entry>, HistoryError> {
        let mut entries = Vec::new();
        while self.time().await? == Some(at) {
            entries.extend(self.read.pop_front());
        }
        Ok(entries)
    }
}
